import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { api, type Diagnosis, doctorQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import { Findings } from './finding.tsx';

/** What the doctor finds of the identity provider, the keys and the connections, worst first, and a way to have it look again. */
export function Doctor() {
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({ ...doctorQuery(60), refetchOnMount: 'always' });
  const again = useMutation({
    mutationFn: () => api('system.doctor', { query: { max_age: 0 } }),
    onSuccess: (found) => {
      queries.setQueryData(doctorQuery(60).queryKey, found);
      announce('done', verdictOf(found));
    },
  });
  return (
    <section aria-labelledby="doctor" className="grid gap-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 id="doctor" className="text-lead font-semibold">
          {t('Identity provider')}
        </h2>
        <Button busy={again.isPending} onClick={() => again.mutate()}>
          <RefreshCw size={15} aria-hidden className={again.isPending ? 'motion-safe:animate-spin' : ''} />
          {t('Run checks again')}
        </Button>
      </div>
      {again.error && <Problem error={again.error} />}
      {isPending && <Pending rows={6} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <Verdict diagnosis={data} />}
    </section>
  );
}

function Verdict({ diagnosis }: { diagnosis: Diagnosis }) {
  const { findings } = diagnosis;
  return (
    <>
      <p className="max-w-prose text-quiet">{verdictOf(diagnosis)}</p>
      {(['fail', 'warn', 'ok'] as const).map((level) => (
        <Findings key={level} level={level} findings={findings.filter((one) => one.level === level)} />
      ))}
    </>
  );
}

/** A diagnosis in a sentence. */
function verdictOf({ findings }: Pick<Diagnosis, 'findings'>): string {
  if (findings.length === 0) return t('There is nothing to check: no identity provider is set up.');
  const levelled = (level: string): number => findings.filter((one) => one.level === level).length;
  const [repair, look] = [levelled('fail'), levelled('warn')];
  if (repair + look === 0) return t('All checks passed.');
  return t('{repair} to fix, {look} to check, {ok} in order.', { repair, look, ok: levelled('ok') });
}
