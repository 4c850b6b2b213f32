import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleX, LoaderCircle, TriangleAlert } from 'lucide-react';
import { api } from '../api.ts';
import { Empty } from '../controls/empty.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { t } from '../words/words.ts';

type Job = Awaited<ReturnType<typeof api<'jobs.list'>>>['jobs'][number];

const faces: Record<Job['state'], readonly [icon: typeof CircleX, words: string, className: string]> = {
  running: [LoaderCircle, t('Running'), 'text-quiet'],
  undoing: [LoaderCircle, t('Undoing'), 'text-warn'],
  done: [CircleCheck, t('Done'), 'text-good'],
  undone: [TriangleAlert, t('Failed, and nothing is left of it'), 'text-warn'],
  stuck: [CircleX, t('Failed, and something is left of it'), 'text-bad'],
};

/** Work in the directory of the last 30 days: how far it is, and what it waits for. */
export function Jobs() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['jobs'],
    queryFn: ({ signal }) => api('jobs.list', { query: { limit: 100 }, signal }),
    refetchInterval: 5000,
  });
  return (
    <section aria-label={t('Jobs')} className="grid gap-3">
      <p className="text-quiet">
        {t('Accounts that are created in the directory step by step; they continue after a restart.')}
      </p>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.jobs.length === 0 && <Empty>{t('No job within the last 30 days.')}</Empty>}
      {data && data.jobs.length > 0 && (
        <ul aria-label={t('Jobs')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {data.jobs.map((job) => (
            <JobRow key={job.id} job={job} />
          ))}
        </ul>
      )}
    </section>
  );
}

function JobRow({ job: { name, state, steps, trouble, created_by, created_at } }: { job: Job }) {
  const [Icon, words, look] = faces[state];
  const done = steps.filter((step) => step.state === 'done').length;
  return (
    <li className="flex gap-3 border-b border-line px-4 py-3 last:border-0">
      <Icon size={16} aria-hidden className={`mt-0.5 shrink-0 ${look}`} />
      <div className="grid min-w-0 gap-0.5">
        <h2 className="font-semibold break-words">{name}</h2>
        <p>
          {words}
          <span className="text-quiet">
            {' · '}
            {t('{n} of {total} steps', { n: done, total: steps.length })}
          </span>
        </p>
        {trouble && <p className="break-words text-quiet">{trouble.detail}</p>}
        <p className="text-meta text-quiet">
          {t('by {name}', { name: created_by })}, <RelativeTime iso={created_at} />
        </p>
      </div>
    </li>
  );
}
