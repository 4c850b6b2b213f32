import { memo, useMemo } from 'react';
import type { Server } from '../api.ts';
import { t } from '../words/words.ts';
import { healthWords } from './health.tsx';

/** What the list of servers can be narrowed to besides its state and search: each a value, or nothing. */
export interface Narrow {
  readonly health?: string | undefined;
  readonly tag?: string | undefined;
  readonly owner?: string | undefined;
  readonly category?: string | undefined;
}

/** Whether a server is what the list is narrowed to. */
export function isAmong({ health, tag, owner, category }: Narrow, server: Server): boolean {
  return (
    (!health || server.health_status === health) &&
    (!tag || server.tags.includes(tag)) &&
    (!owner || server.registered_by === owner) &&
    (!category || server.category === category)
  );
}

/** Chooses health, tag and owner out of those that occur among the servers. */
export const NarrowFields = memo(function NarrowFields({
  servers,
  narrow,
  onChange,
}: {
  servers: readonly Server[];
  narrow: Narrow;
  onChange: (change: Narrow) => void;
}) {
  const occurring = useMemo(
    () => ({
      health: occurringIn(servers, (server) => [server.health_status]),
      tag: occurringIn(servers, (server) => server.tags),
      owner: occurringIn(servers, (server) => [server.registered_by]),
      category: occurringIn(servers, (server) => [server.category ?? []].flat()),
    }),
    [servers],
  );
  return (
    <>
      <Choice
        label={t('Health')}
        chosen={narrow.health}
        options={occurring.health.map((one) => [one, healthWords(one)])}
        onChoose={(health) => onChange({ health })}
      />
      <Choice
        label={t('Category')}
        chosen={narrow.category}
        options={occurring.category.map((one) => [one, one])}
        onChoose={(category) => onChange({ category })}
      />
      <Choice
        label={t('Tag')}
        chosen={narrow.tag}
        options={occurring.tag.map((one) => [one, one])}
        onChoose={(tag) => onChange({ tag })}
      />
      <Choice
        label={t('Owner')}
        chosen={narrow.owner}
        options={occurring.owner.map((one) => [one, one])}
        onChoose={(owner) => onChange({ owner })}
      />
    </>
  );
});

function Choice({
  label,
  chosen = '',
  options,
  onChoose,
}: {
  label: string;
  chosen: string | undefined;
  options: readonly (readonly [value: string, words: string])[];
  onChoose: (value: string) => void;
}) {
  // A choice of one is none, unless the URL has made it.
  if (options.length < 2 && chosen === '') return null;
  return (
    <select
      aria-label={label}
      value={chosen}
      onChange={(event) => onChoose(event.currentTarget.value)}
      className="h-8 max-w-40 rounded-md border border-edge bg-raised px-2"
    >
      <option value="">{t('{label}: any', { label })}</option>
      {chosen !== '' && !options.some(([value]) => value === chosen) && (
        <option value={chosen}>{chosen}</option>
      )}
      {options.map(([value, words]) => (
        <option key={value} value={value}>
          {words}
        </option>
      ))}
    </select>
  );
}

function occurringIn<T extends string>(
  servers: readonly Server[],
  valuesOf: (server: Server) => readonly T[],
): T[] {
  return [...new Set(servers.flatMap(valuesOf))].sort((a, b) => a.localeCompare(b)).slice(0, 300);
}
