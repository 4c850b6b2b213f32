import { type ReactNode, useState } from 'react';
import type { Usage } from '../../contract/usage.ts';
import { RelativeTime } from '../controls/relative-time.tsx';
import { language, number, t } from '../words/words.ts';

/** The same as the chart, for everybody who reads rather than sees. */
export function TimeTable({ usage }: { usage: Usage }) {
  const [open, setOpen] = useState(false);
  const shown = usage.timeline.filter(({ calls }) => calls > 0);
  const when = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    ...(usage.bucket === 'day' ? {} : { timeStyle: 'short' }),
  });
  return (
    <details className="mt-2" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit rounded-sm text-quiet underline underline-offset-4">
        {t('As a table')}
      </summary>
      {open && (
        <section
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          tabIndex={0}
          aria-label={t('Calls over time, as a table')}
          className="mt-2 max-h-72 overflow-auto"
        >
          <table className="w-full text-left">
            <caption className="sr-only">{t('Calls over time')}</caption>
            <Head first={t('From')} />
            <tbody>
              {shown.map((one) => (
                <FigureRow key={one.at} figures={one}>
                  <time dateTime={one.at} title={`${one.at.slice(0, 16).replace('T', ' ')} UTC`}>
                    {when.format(new Date(one.at))}
                  </time>
                </FigureRow>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

/** The head of a table of figures. */
export function Head({ first, last = false }: { first: string; last?: boolean }) {
  const heads = [
    t('Calls'),
    t('Errors'),
    t('Denied'),
    t('Median'),
    t('95th percentile'),
    t('Tokens in lists'),
  ];
  return (
    <thead className="text-meta text-quiet">
      <tr className="border-b border-line">
        <th scope="col" className="py-2 pr-4 font-medium">
          {first}
        </th>
        {heads.map((head) => (
          <th key={head} scope="col" className="py-2 pr-4 text-right font-medium whitespace-nowrap">
            {head}
          </th>
        ))}
        {last && (
          <th scope="col" className="py-2 text-right font-medium whitespace-nowrap">
            {t('Last call')}
          </th>
        )}
      </tr>
    </thead>
  );
}

/** A row of figures; `last` is when the newest call came. */
export function FigureRow({
  figures,
  last,
  children,
}: {
  figures: Usage['total'];
  last?: string;
  children: ReactNode;
}) {
  return (
    <tr className="border-b border-line last:border-0">
      <th scope="row" className="py-1.5 pr-4 font-normal">
        {children}
      </th>
      <td className="py-1.5 pr-4 text-right tabular-nums">{number(figures.calls)}</td>
      <td className={`py-1.5 pr-4 text-right tabular-nums ${figures.errors > 0 ? 'text-bad' : ''}`}>
        {number(figures.errors)}
      </td>
      <td className={`py-1.5 pr-4 text-right tabular-nums ${figures.denied > 0 ? 'text-warn' : ''}`}>
        {number(figures.denied)}
      </td>
      <td className="py-1.5 pr-4 text-right whitespace-nowrap tabular-nums">{msWords(figures.p50_ms)}</td>
      <td className="py-1.5 pr-4 text-right whitespace-nowrap tabular-nums">{msWords(figures.p95_ms)}</td>
      <td className="py-1.5 pr-4 text-right tabular-nums">{number(figures.list_tokens)}</td>
      {last !== undefined && (
        <td className="py-1.5 text-right whitespace-nowrap text-quiet">
          <RelativeTime iso={last} />
        </td>
      )}
    </tr>
  );
}

/** Milliseconds as people read them. */
export function msWords(ms: number | null): string {
  if (ms === null) return '–';
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${number(ms)} ms`;
}
