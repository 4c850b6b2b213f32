import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { auditSummaryQuery } from '../audit/audit-query.ts';
import { Problem } from '../controls/problem.tsx';
import { number, t } from '../words/words.ts';

const AuditTimeline = lazy(() =>
  import('../audit/audit-timeline.tsx').then(({ AuditTimeline: component }) => ({ default: component })),
);

/** For those who read the audit trail: how much was asked of the gateway in the last day, and how it ended. */
export function Today() {
  const { data, error, refetch } = useQuery({
    ...auditSummaryQuery({ period: '24h', matter: 'all' }),
    refetchInterval: 60_000,
  });
  const timeline = data?.timeline ?? [];
  const sum = (kind: 'allow' | 'deny' | 'error') => timeline.reduce((total, one) => total + one[kind], 0);
  const tiles = [
    { words: t('Allowed'), value: sum('allow'), decision: 'allow', color: '' },
    { words: t('Denied'), value: sum('deny'), decision: 'deny', color: 'text-warn' },
    { words: t('Failed'), value: sum('error'), decision: 'error', color: 'text-bad' },
  ] as const;
  return (
    <section aria-labelledby="today" className="grid min-w-0 gap-3">
      <h2 id="today" className="text-lead font-semibold">
        {t('Last 24 hours')}
      </h2>
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      <ul className="grid grid-cols-3 gap-3">
        {tiles.map(({ words, value, decision, color }) => (
          <li
            key={decision}
            className="relative rounded-lg border border-line bg-raised px-4 py-3 hover:bg-hover"
          >
            <p className={`text-title font-semibold tabular-nums ${value > 0 ? color : ''}`}>
              {data ? number(value) : '–'}
            </p>
            <Link
              to="/audit"
              search={{ period: '24h', decision, matter: 'all' }}
              className="text-quiet after:absolute after:inset-0"
            >
              {words}
            </Link>
          </li>
        ))}
      </ul>
      {data && timeline.length > 0 && (
        <Suspense fallback={<div className="h-48" />}>
          <AuditTimeline summary={data} />
        </Suspense>
      )}
    </section>
  );
}
