import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { HealthStatus } from '../../contract/servers/servers.ts';
import { historyQuery, type Server } from '../api.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { healthWords } from '../servers/health.tsx';
import { count, t } from '../words/words.ts';
import { type HealthSpan, healthyPercent, spansOf } from './health-spans.ts';

const ranges = { '24 hours': 1, '7 days': 7, '30 days': 30 } as const;
type Range = keyof typeof ranges;
const rangeWords: Record<Range, { last: string; ago: string }> = {
  '24 hours': { last: t('Last 24 hours'), ago: t('24 hours ago') },
  '7 days': { last: t('Last 7 days'), ago: t('7 days ago') },
  '30 days': { last: t('Last 30 days'), ago: t('30 days ago') },
};

// Shape besides colour: what is not well is taller.
const looks: Record<HealthStatus, { fill: string; height: number }> = {
  healthy: { fill: 'fill-good', height: 14 },
  unhealthy: { fill: 'fill-bad', height: 32 },
  'auth-failing': { fill: 'fill-warn', height: 24 },
  disabled: { fill: 'fill-line', height: 6 },
  unknown: { fill: 'fill-line', height: 2 },
};

/** How a server's health was over time: a picture, its sum in words, and each change. */
export function HealthHistory({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(historyQuery(server.path));
  const [range, setRange] = useState<Range>('7 days');
  const [now] = useState(Date.now);
  const to = Math.max(now, Date.parse(server.last_checked_iso ?? '') || 0);
  const from = to - ranges[range] * 86_400_000;
  const spans = data ? spansOf(data.changes, from, to) : [];
  const recent = (data?.changes ?? []).filter(({ at }) => Date.parse(at) >= from).toReversed();
  return (
    <section aria-label={t('Health history')} className="grid min-w-0 content-start gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lead font-semibold">{t('Health history')}</h2>
        <select
          aria-label={t('Time shown')}
          value={range}
          onChange={(event) => setRange(event.currentTarget.value as Range)}
          className="h-8 rounded-md border border-edge bg-raised px-2"
        >
          {Object.keys(ranges).map((one) => (
            <option key={one} value={one}>
              {rangeWords[one as Range].last}
            </option>
          ))}
        </select>
      </div>
      {isPending && <Pending rows={1} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && (
        <>
          <Picture spans={spans} label={sumOf(spans, recent.length, range)} />
          <p aria-hidden className="flex justify-between text-meta text-quiet">
            <span>{rangeWords[range].ago}</span>
            <span>{t('now')}</span>
          </p>
          <p className="text-quiet">{sumOf(spans, recent.length, range)}</p>
          <ul aria-label={t('Changes of health')} className="grid gap-1">
            {recent.slice(0, 10).map(({ at, status, detail }) => (
              <li key={at} className="flex flex-wrap gap-x-2">
                <span className="w-32 shrink-0 text-quiet">
                  <RelativeTime iso={at} />
                </span>
                <span className="font-medium">
                  {status === 'disabled' ? t('Disabled') : healthWords(status)}
                </span>
                {detail !== null && <span className="text-quiet">{detail}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Picture({ spans, label }: { spans: readonly HealthSpan[]; label: string }) {
  const [from, to] = [spans[0]?.from ?? 0, spans.at(-1)?.to ?? 1];
  const x = (time: number) => (1000 * (time - from)) / (to - from || 1);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 1000 32"
      preserveAspectRatio="none"
      className="h-8 w-full rounded-sm bg-sunken"
    >
      {spans.map((span) => {
        const { fill, height } = looks[span.status];
        // A short trouble must not vanish between two pixels.
        const width = Math.max(x(span.to) - x(span.from), span.status === 'healthy' ? 0 : 2);
        return (
          <rect
            key={span.from}
            x={x(span.from)}
            y={32 - height}
            width={width}
            height={height}
            className={fill}
          />
        );
      })}
    </svg>
  );
}

function sumOf(spans: readonly HealthSpan[], changes: number, range: Range): string {
  const percent = healthyPercent(spans);
  const times = count(changes, '{n} change', '{n} changes');
  return percent === null
    ? t('{range}: no health data.', { range: rangeWords[range].last })
    : t('{range}: healthy {percent}% of the monitored time; {times}.', {
        percent,
        range: rangeWords[range].last,
        times,
      });
}
