import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { processQuery, type SettingInForce } from '../api.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { t } from '../words/words.ts';

/** The settings that the gateway runs with by subject: what was given, with the defaults where asked for; a search goes over all. */
export function SettingsInForce() {
  const { data, error, isPending, refetch } = useQuery(processQuery);
  const [query, setQuery] = useState('');
  const [all, setAll] = useState(false);
  const settings = data?.settings ?? [];
  const given = settings.filter(({ source }) => source === 'environment').length;
  const shown = settings.filter((one) =>
    query.trim() ? mentions(query, [one.name, one.about, one.group], []) : all || one.source !== 'default',
  );
  const subjects = Map.groupBy(shown, ({ group }) => group);
  return (
    <section aria-labelledby="settings" className="grid gap-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id="settings" className="sr-only">
          {t('Active settings')}
        </h2>
        <input
          type="search"
          aria-label={t('Search settings')}
          placeholder={t('Name or words')}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          className="h-8 w-full rounded-md border border-edge bg-raised px-2 placeholder:text-quiet sm:max-w-xs"
        />
        <label className="flex min-h-6 items-center gap-2">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setAll(event.currentTarget.checked)}
            className="size-4 accent-accent"
          />
          {t('Defaults too')}
        </label>
        {data && (
          <p role="status" className="text-quiet sm:ml-auto">
            {query.trim() && `${t('{n} found.', { n: shown.length })} `}
            {t('{n} settings: {given} set, {others} with their defaults. They are read at startup.', {
              ...{ n: settings.length, given, others: settings.length - given },
            })}
          </p>
        )}
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {[...subjects].map(([subject, ones]) => (
        <section key={subject} aria-label={subject} className="grid gap-2">
          <h3 className="font-semibold">
            {subject} <span className="font-normal text-quiet">{ones.length}</span>
          </h3>
          <ul
            aria-label={t('Settings: {subject}', { subject })}
            className="rounded-lg border border-line bg-raised"
          >
            {ones.map((one) => (
              <Row key={one.name} setting={one} />
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Row({ setting }: { setting: SettingInForce }) {
  const { name, about, source } = setting;
  return (
    <li className="grid gap-x-6 gap-y-1 border-b border-line px-4 py-2.5 last:border-0 lg:grid-cols-[minmax(0,2fr)_minmax(0,2fr)_minmax(0,3fr)]">
      <code className="min-w-0 font-mono text-code font-semibold break-all">{name}</code>
      <div className="min-w-0 break-words">
        <Value setting={setting} />{' '}
        {source !== 'default' && (
          <span className="rounded-sm bg-chosen px-1.5 py-0.5 text-meta">{t('Given')}</span>
        )}
      </div>
      <p className="min-w-0 text-quiet">{about.replaceAll('`', '')}</p>
    </li>
  );
}

function Value({ setting: { value, secret, source, default_note } }: { setting: SettingInForce }) {
  if (value !== null) return <code className="font-mono text-code whitespace-pre-wrap">{value}</code>;
  const words =
    secret && source === 'environment'
      ? t('Set; never shown')
      : default_note?.replaceAll('`', '') || t('Not set');
  return <span className="text-quiet">{words}</span>;
}
