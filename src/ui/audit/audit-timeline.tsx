import { Link, useNavigate } from '@tanstack/react-router';
import type { AuditSummary } from '../api.ts';
import { language, number, t } from '../words/words.ts';

type Bucket = AuditSummary['timeline'][number];

const length = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const height = 96;
const axes = {
  day: new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }),
  hour: new Intl.DateTimeFormat(language, { weekday: 'short', hour: 'numeric', minute: '2-digit' }),
};
const bucketWords = { minute: t('minute'), hour: t('hour'), day: t('day') } as const;

/** Counts over time as a picture of bars, and the same as a table for whoever does not see or point at it. */
export function AuditTimeline({ summary }: { summary: AuditSummary }) {
  const { timeline, bucket } = summary;
  const ofAxis = (at: string) => axes[bucket === 'day' ? 'day' : 'hour'].format(new Date(at));
  const navigate = useNavigate({ from: '/audit' });
  const most = Math.max(1, ...timeline.map(total));
  const middle = new Date((Date.parse(summary.from) + Date.parse(summary.to)) / 2).toISOString();
  const sums = { allow: sum(timeline, 'allow'), deny: sum(timeline, 'deny'), error: sum(timeline, 'error') };
  const show = (one: Bucket) =>
    void navigate({ search: (now) => ({ ...now, ...stretchOf(one, summary) }), resetScroll: false });
  return (
    <section aria-labelledby="timeline" className="rounded-lg border border-line bg-raised p-4">
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
        <h2 id="timeline" className="text-lead font-semibold">
          {t('Events per {bucket}', { bucket: bucketWords[bucket] })}
        </h2>
        <ul className="flex flex-wrap gap-x-4 text-quiet">
          <Legend look="bg-edge" words={t('allowed')} count={sums.allow} />
          <Legend look="bg-warn" words={t('denied')} count={sums.deny} />
          <Legend look="bg-bad" words={t('failed')} count={sums.error} />
        </ul>
      </div>
      <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2">
        <div
          aria-hidden
          className="flex flex-col justify-between text-right text-meta leading-none text-quiet tabular-nums"
        >
          <span>{number(most)}</span>
          <span>{number(0)}</span>
        </div>
        <svg
          role="img"
          aria-label={t('{allow} allowed, {deny} denied, {error} failed; at most {most} per {bucket}', {
            allow: sums.allow,
            deny: sums.deny,
            error: sums.error,
            most,
            bucket: bucketWords[bucket],
          })}
          viewBox={`0 0 ${timeline.length * 10} ${height}`}
          preserveAspectRatio="none"
          className="block h-24 w-full border-y border-line"
        >
          {timeline.map((one, index) => (
            <Bar key={one.at} bucket={one} x={index * 10} most={most} onChoose={() => show(one)} />
          ))}
        </svg>
        <div className="col-start-2 mt-1 flex justify-between text-meta text-quiet">
          <span>{ofAxis(summary.from)}</span>
          <span className="max-sm:hidden">{ofAxis(middle)}</span>
          <span>{ofAxis(summary.to)}</span>
        </div>
      </div>
      <details className="mt-2">
        <summary className="inline-block rounded-sm text-quiet underline underline-offset-4">
          {t('As a table')}
        </summary>
        <Table summary={summary} />
      </details>
    </section>
  );
}

function Legend({ look, words, count }: { look: string; words: string; count: number }) {
  return (
    <li className="flex items-center gap-1.5">
      <span aria-hidden className={`size-2.5 rounded-sm ${look}`} />
      {number(count)} {words}
    </li>
  );
}

function Bar({
  bucket,
  x,
  most,
  onChoose,
}: {
  bucket: Bucket;
  x: number;
  most: number;
  onChoose: () => void;
}) {
  // Whatever is there can be seen: no part is lower than two pixels, so that one refusal among thousands shows.
  const tall = (count: number): number => (count === 0 ? 0 : Math.max(2, (count / most) * (height - 6)));
  const [error, deny, allow] = [tall(bucket.error), tall(bucket.deny), tall(bucket.allow)];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the table below leads to the same places by keyboard
    <g onClick={onChoose} className="group cursor-pointer">
      <title>{`${label(bucket.at)}: ${words(bucket)}`}</title>
      <rect x={x} y={0} width={10} height={height} className="fill-transparent group-hover:fill-hover" />
      <rect x={x + 1} y={height - error} width={8} height={error} className="fill-bad" />
      <rect x={x + 1} y={height - error - deny} width={8} height={deny} className="fill-warn" />
      <rect x={x + 1} y={height - error - deny - allow} width={8} height={allow} className="fill-edge" />
    </g>
  );
}

function Table({ summary }: { summary: AuditSummary }) {
  const filled = summary.timeline.filter((one) => total(one) > 0);
  if (filled.length === 0) return <p className="mt-2 text-quiet">{t('Nothing happened.')}</p>;
  return (
    <table className="mt-2 w-full text-left">
      <caption className="sr-only">
        {t('Events per {bucket}; those without events are left out', { bucket: bucketWords[summary.bucket] })}
      </caption>
      <thead className="text-meta text-quiet">
        <tr className="border-b border-line">
          {[t('From'), t('Allowed'), t('Denied'), t('Failed')].map((name) => (
            <th key={name} scope="col" className="py-1 pr-3 font-medium">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {filled.map((one) => (
          <tr key={one.at} className="border-b border-line last:border-0">
            <th scope="row" className="py-1 pr-3 font-normal">
              <Link
                to="/audit"
                search={(now) => ({ ...now, ...stretchOf(one, summary) })}
                resetScroll={false}
                className="underline underline-offset-4"
              >
                {label(one.at)}
              </Link>
            </th>
            <td className="pr-3">{one.allow}</td>
            <td className="pr-3">{one.deny}</td>
            <td>{one.error}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The stretch of one bar, as the URL has it. */
function stretchOf({ at }: Bucket, { bucket }: AuditSummary): { from: string; to: string } {
  return { from: at, to: new Date(Date.parse(at) + length[bucket]).toISOString() };
}

function total({ allow, deny, error }: Bucket): number {
  return allow + deny + error;
}

function sum(timeline: readonly Bucket[], of: 'allow' | 'deny' | 'error'): number {
  return timeline.reduce((so, bucket) => so + bucket[of], 0);
}

function words({ allow, deny, error }: Bucket): string {
  return t('{allow} allowed, {deny} denied, {error} failed', { allow, deny, error });
}

const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });

function label(iso: string): string {
  return time.format(new Date(iso));
}
