import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { CircleX, TriangleAlert } from 'lucide-react';
import { type Diagnosis, doctorQuery } from '../api.ts';
import { t } from '../words/words.ts';

/** Tells administrators, on every page but that of the doctor, of what does not work and of a credential that ends soon. */
export function DoctorBanner() {
  const { data } = useQuery(doctorQuery(3600));
  const { pathname } = useLocation();
  const news = data && pathname !== '/operations' ? newsOf(data) : undefined;
  if (!news) return null;
  const Icon = news.isBad ? CircleX : TriangleAlert;
  return (
    <section
      aria-label={t('Notice for administrators')}
      className={`border-b border-line ${news.isBad ? 'bg-bad-soft' : 'bg-warn-soft'}`}
    >
      <p className="mx-auto flex max-w-432 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 sm:px-6">
        <Icon size={16} aria-hidden className={`shrink-0 ${news.isBad ? 'text-bad' : 'text-warn'}`} />
        <span className="min-w-0 flex-1">{news.text}</span>
        <Link to="/operations" className="font-medium underline underline-offset-4">
          {t('What to do')}
        </Link>
      </p>
    </section>
  );
}

/** What of a diagnosis is worth a line on every page. */
function newsOf({ findings }: Diagnosis): { text: string; isBad: boolean } | undefined {
  const failing = findings.filter(({ level }) => level === 'fail');
  const [first] = failing;
  if (first)
    return {
      isBad: true,
      text:
        failing.length === 1
          ? first.what
          : t('{what} (and {n} more to fix)', { what: first.what, n: failing.length - 1 }),
    };
  const ending = findings.find(({ id, level }) => level === 'warn' && id.endsWith('-expiry'));
  return ending && { isBad: false, text: ending.what };
}
