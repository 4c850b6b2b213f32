import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { processQuery, type SettingInForce } from '../api.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';

/** The settings that the gateway runs with: what was given, with the defaults where asked for; a search goes over all. */
export function SettingsInForce() {
  const { data, error, isPending, refetch } = useQuery(processQuery);
  const [query, setQuery] = useState('');
  const [all, setAll] = useState(false);
  const settings = data?.settings ?? [];
  const given = settings.filter(({ source }) => source === 'environment').length;
  const shown = settings.filter((one) =>
    query.trim() ? mentions(query, [one.name, one.about, one.group], []) : all || one.source !== 'default',
  );
  return (
    <section aria-labelledby="settings" className="mt-10 grid gap-4">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id="settings" className="text-lead font-semibold">
          Active settings
        </h2>
        <label className="ml-auto flex min-h-6 items-center gap-2">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setAll(event.currentTarget.checked)}
            className="size-4 accent-accent"
          />
          Defaults too
        </label>
        <input
          type="search"
          aria-label="Search settings"
          placeholder="Name or words"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          className="h-8 w-full rounded-md border border-edge bg-raised px-2 placeholder:text-quiet sm:max-w-xs"
        />
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {shown.length > 0 && (
        <ul aria-label="Settings" className="rounded-lg border border-line bg-raised">
          {shown.map((one) => (
            <Row key={one.name} setting={one} />
          ))}
        </ul>
      )}
      {data && (
        <p role="status" className="text-quiet">
          {query.trim() && `${shown.length} found. `}
          {settings.length} settings: {given} given, {settings.length - given} by default. They are read at
          start.
        </p>
      )}
    </section>
  );
}

function Row({ setting }: { setting: SettingInForce }) {
  const { name, group, about, source } = setting;
  return (
    <li className="grid gap-x-6 gap-y-1 border-b border-line px-4 py-2.5 last:border-0 lg:grid-cols-[minmax(0,2fr)_minmax(0,2fr)_minmax(0,3fr)]">
      <div className="min-w-0">
        <code className="font-mono text-code font-semibold">{name}</code>
        <p className="text-meta text-quiet">{group}</p>
      </div>
      <div className="min-w-0">
        <Value setting={setting} />
        <p className="text-meta text-quiet">{source === 'default' ? 'Default' : 'Given'}</p>
      </div>
      <p className="min-w-0 text-quiet">{about.replaceAll('`', '')}</p>
    </li>
  );
}

function Value({ setting: { value, secret, source, default_note } }: { setting: SettingInForce }) {
  if (value !== null) return <code className="font-mono text-code whitespace-pre-wrap">{value}</code>;
  const words =
    secret && source === 'environment' ? 'Set; never shown' : default_note?.replaceAll('`', '') || 'Not set';
  return <span className="text-quiet">{words}</span>;
}
