import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { type usageKeys as keys, type Usage, usageKeys } from '../../contract/usage.ts';
import { csvLine } from '../../contract/values/csv.ts';
import { api, meQuery } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { Button } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { count, number, t } from '../words/words.ts';
import { FigureRow, Head, msWords, TimeTable } from './usage-table.tsx';

const Chart = lazy(() => import('./usage-chart.tsx').then(({ UsageChart }) => ({ default: UsageChart })));

const hour = 3_600_000;
const periods = {
  '24h': [24 * hour, t('Last 24 hours')],
  '7d': [168 * hour, t('Last 7 days')],
  '30d': [720 * hour, t('Last 30 days')],
  '90d': [2160 * hour, t('Last 90 days')],
} as const;
const byWords: Record<(typeof keys)[number], string> = {
  server: t('Server'),
  tool: t('Tool'),
  person: t('Person'),
  client: t('Client'),
};

/** Calls, errors and how long they took: over time, and by server, tool, person or client; as a file where wanted. */
export function UsagePage() {
  const { data: me } = useQuery(meQuery);
  const search = useSearch({ from: '/signed-in/usage' });
  const navigate = useNavigate({ from: '/usage' });
  const period = Object.hasOwn(periods, search.period ?? '')
    ? (search.period as keyof typeof periods)
    : '24h';
  const by = usageKeys.find((one) => one === search.by) ?? 'server';
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['usage', period, by, search.server, search.person],
    queryFn: ({ signal }) =>
      api('usage.read', {
        query: {
          by,
          from: new Date(Date.now() - periods[period][0]).toISOString(),
          ...(search.server && { server: search.server }),
          ...(search.person && { username: search.person }),
        },
        signal,
      }),
    enabled: me !== undefined && readsAudit(me),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
  if (!me) return null;
  if (!readsAudit(me))
    return (
      <Page title={t('Usage')}>
        <Empty>{t('This page is for administrators and auditors.')}</Empty>
      </Page>
    );
  const set = (change: { period?: string; by?: string; server?: string; person?: string }) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true, resetScroll: false });
  return (
    <Page
      title={t('Usage')}
      actions={
        data && (
          <Button onClick={() => save(data, by)}>
            <Download size={15} aria-hidden />
            {t('Export CSV')}
          </Button>
        )
      }
    >
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <select
          aria-label={t('Time')}
          value={period}
          onChange={(event) => set({ period: event.currentTarget.value })}
          className="h-8 rounded-md border border-edge bg-raised px-2"
        >
          {Object.entries(periods).map(([value, [, words]]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <fieldset className="flex h-8 items-stretch rounded-md border border-line p-0.5">
          <legend className="sr-only">{t('Count by')}</legend>
          {usageKeys.map((one) => (
            <label
              key={one}
              className="relative flex items-center rounded-sm px-2 whitespace-nowrap text-quiet hover:text-ink has-checked:bg-chosen has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
            >
              <input
                type="radio"
                name="by"
                checked={one === by}
                onChange={() => set({ by: one })}
                className="absolute inset-0 cursor-pointer opacity-0"
              />
              {byWords[one]}
            </label>
          ))}
        </fieldset>
        {search.server && (
          <Button onClick={() => set({ server: '' })}>{t('Only {name} ×', { name: search.server })}</Button>
        )}
        {search.person && (
          <Button onClick={() => set({ person: '' })}>{t('Only {name} ×', { name: search.person })}</Button>
        )}
      </div>
      {isPending && <Pending rows={8} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <Figures usage={data} by={by} set={set} />}
    </Page>
  );
}

function Figures({
  usage,
  by,
  set,
}: {
  usage: Usage;
  by: (typeof keys)[number];
  set: (change: { by?: string; server?: string; person?: string }) => void;
}) {
  const { total } = usage;
  const tiles = [
    [t('Calls'), number(total.calls)],
    [t('Errors'), shareOf(total.errors, total.calls)],
    [t('Denied'), shareOf(total.denied, total.calls)],
    [t('Median'), msWords(total.p50_ms)],
    [t('95th percentile'), msWords(total.p95_ms)],
    [t('Tokens in lists'), number(total.list_tokens)],
  ] as const;
  return (
    <div className="grid gap-6">
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
        {tiles.map(([words, value]) => (
          <div
            key={words}
            className="flex flex-col-reverse rounded-lg border border-line bg-raised px-4 py-3"
          >
            <dt className="text-quiet">{words}</dt>
            <dd className="text-title font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {total.calls === 0 ? (
        <Empty>{t('No calls in this period.')}</Empty>
      ) : (
        <>
          <section
            aria-label={t('Calls over time')}
            className="min-w-0 rounded-lg border border-line bg-raised p-4"
          >
            <Suspense fallback={<Pending rows={4} />}>
              <Chart usage={usage} />
            </Suspense>
            <TimeTable usage={usage} />
          </section>
          <Rows usage={usage} by={by} set={set} />
        </>
      )}
      {usage.unused.length > 0 && (
        <section aria-labelledby="unused" className="grid gap-2">
          <h2 id="unused" className="text-lead font-semibold">
            {t('Not used in this time')}
          </h2>
          <p className="text-quiet">
            {count(
              usage.unused.length,
              '{n} enabled server was not called.',
              '{n} enabled servers were not called.',
            )}
          </p>
          <ul className="flex flex-wrap gap-x-4 gap-y-1">
            {usage.unused.slice(0, 60).map((path) => (
              <li key={path}>
                <Link
                  to="/servers/$"
                  params={{ _splat: path.slice(1) }}
                  className="font-mono text-code underline underline-offset-4"
                >
                  {path}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {usage.truncated && (
        <p className="text-quiet">{t('Only the newest calls are counted. Choose a shorter time.')}</p>
      )}
    </div>
  );
}

function Rows({
  usage,
  by,
  set,
}: {
  usage: Usage;
  by: (typeof keys)[number];
  set: (change: { by?: string; server?: string; person?: string }) => void;
}) {
  const [all, setAll] = useState(false);
  return (
    <section aria-label={byWords[by]} className="grid gap-2">
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        aria-label={t('Calls by {what}', { what: byWords[by] })}
        className="overflow-x-auto rounded-lg border border-line bg-raised px-4"
      >
        <table className="w-full min-w-152 text-left">
          <caption className="sr-only">{t('Calls by {what}', { what: byWords[by] })}</caption>
          <Head first={byWords[by]} last />
          <tbody>
            {usage.rows.slice(0, all ? undefined : 25).map((row) => (
              <FigureRow key={row.key} figures={row} last={row.last_at}>
                {by === 'server' || by === 'person' ? (
                  <button
                    type="button"
                    className="rounded-sm text-left underline underline-offset-4"
                    onClick={() =>
                      set(by === 'server' ? { server: row.key, by: 'tool' } : { person: row.key, by: 'tool' })
                    }
                  >
                    {row.key}
                  </button>
                ) : (
                  <Named by={by} name={row.key} />
                )}
              </FigureRow>
            ))}
          </tbody>
        </table>
      </section>
      {!all && usage.rows.length > 25 && (
        <div>
          <Button onClick={() => setAll(true)}>{t('Show all {n}', { n: usage.rows.length })}</Button>
        </div>
      )}
    </section>
  );
}

function Named({ by, name }: { by: string; name: string }) {
  const [server = '', tool = ''] = by === 'tool' ? name.split(' ') : [];
  if (by !== 'tool') return <span className="break-all">{name}</span>;
  return (
    <Link
      to="/servers/$"
      params={{ _splat: server }}
      search={{ tab: 'tools', tool }}
      className="rounded-sm underline underline-offset-4"
    >
      {tool} <span className="text-quiet">{server}</span>
    </Link>
  );
}

function shareOf(part: number, whole: number): string {
  const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
  return whole === 0 ? '0' : `${number(part)} (${percent.format(part / whole)})`;
}

/** The rows as a file. */
function save(usage: Usage, by: string): void {
  const lines = [
    [by, 'calls', 'errors', 'denied', 'p50_ms', 'p95_ms', 'list_tokens', 'last_at'],
    ...usage.rows.map((row) => [
      row.key,
      row.calls,
      row.errors,
      row.denied,
      row.p50_ms,
      row.p95_ms,
      row.list_tokens,
      row.last_at,
    ]),
  ];
  const url = URL.createObjectURL(new Blob(lines.map(csvLine), { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `usage-by-${by}-${usage.from.slice(0, 10)}-${usage.to.slice(0, 10)}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
