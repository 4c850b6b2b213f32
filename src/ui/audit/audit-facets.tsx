import { useQuery } from '@tanstack/react-query';
import { number, t } from '../words/words.ts';
import { decisions, kinds } from './audit-asked.ts';
import { auditFacetsQuery } from './audit-query.ts';
import type { AuditSearch } from './audit-search.ts';

/** Who, what and why in the events of a view, the most frequent first; each narrows the view to it. */
export function AuditFacets({
  search,
  onChange,
}: {
  search: AuditSearch;
  onChange: (change: AuditSearch) => void;
}) {
  const { data } = useQuery(auditFacetsQuery(search));
  if (!data) return null;
  const groups = [
    { title: t('People'), key: 'username', values: data.username, wordsOf: (value: string) => value },
    {
      title: t('Servers and resources'),
      key: 'resource',
      values: data.resource,
      wordsOf: (value: string) => value,
    },
    { title: t('Tools'), key: 'tool', values: data.tool, wordsOf: (value: string) => value },
    { title: t('Reasons'), key: 'reason', values: data.reason, wordsOf: (value: string) => value },
    {
      title: t('Kinds'),
      key: 'kind',
      values: data.kind,
      wordsOf: (value: string) => kinds[value as keyof typeof kinds] ?? value,
    },
    {
      title: t('Outcomes'),
      key: 'decision',
      values: data.decision,
      wordsOf: (value: string) => decisions[value as keyof typeof decisions] ?? value,
    },
  ] as const;
  return (
    <section
      aria-label={t('Narrow down')}
      className="grid gap-3 grid-cols-[repeat(auto-fit,minmax(min(100%,13rem),1fr))]"
    >
      {groups.map(({ title, key, values, wordsOf }) =>
        values.length === 0 ? null : (
          <section
            key={key}
            aria-label={title}
            className="min-w-0 rounded-lg border border-line bg-raised p-3"
          >
            <h2 className="mb-1 text-meta font-medium text-quiet">{title}</h2>
            <ul>
              {values.slice(0, 5).map(({ value, count, name }) => {
                const on = search[key] === value;
                return (
                  <li key={value}>
                    <button
                      type="button"
                      aria-pressed={on}
                      onClick={() => onChange({ [key]: on ? undefined : value })}
                      className="flex min-h-6 w-full items-baseline gap-2 rounded-sm px-1 text-left hover:bg-hover aria-pressed:bg-chosen aria-pressed:font-medium"
                    >
                      <span className="min-w-0 flex-1 truncate" title={value}>
                        {name ?? wordsOf(value)}
                      </span>
                      <span className="text-meta text-quiet tabular-nums">{number(count)}</span>
                    </button>
                  </li>
                );
              })}
            </ul>
          </section>
        ),
      )}
    </section>
  );
}
