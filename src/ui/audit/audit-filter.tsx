import { X } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../controls/button.tsx';
import { Search } from '../controls/fields/search.tsx';
import { language, t } from '../words/words.ts';
import type { periods } from './audit-asked.ts';
import { decisions, isFixed, kinds, matterOf, matters, periodOf } from './audit-asked.ts';
import type { AuditSearch } from './audit-search.ts';

const periodWords: Record<keyof typeof periods, string> = {
  '1h': t('Last hour'),
  '24h': t('Last 24 hours'),
  '7d': t('Last 7 days'),
  '30d': t('Last 30 days'),
};
const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });

/** The filters of the audit page: words, time, kind and decision; what a link has narrowed can be taken off. */
export function AuditFilter({
  search,
  text,
  onText,
  onChange,
}: {
  search: AuditSearch;
  text: string;
  onText: (text: string) => void;
  onChange: (change: AuditSearch) => void;
}) {
  const { kind = '', decision = '', subject, from = '', to = '' } = search;
  const fixed = isFixed(search);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <Search
        things={t('events')}
        placeholder={t('User, address, action, resource, tool, reason')}
        value={text}
        onChange={onText}
      />
      <Choice
        label={t('Show')}
        value={matterOf(search)}
        options={matters}
        onChange={(matter) => onChange({ matter })}
      />
      <Choice
        label={t('Time')}
        value={fixed ? '' : periodOf(search)}
        options={{ ...(fixed ? { '': t('A chosen stretch') } : {}), ...periodWords }}
        onChange={(period) => onChange({ period, from: undefined, to: undefined })}
      />
      <Choice
        label={t('Kind')}
        value={kind}
        options={{ '': t('Every kind'), ...kinds }}
        onChange={(value) => onChange({ kind: value })}
      />
      <Choice
        label={t('Outcome')}
        value={decision}
        options={{ '': t('Every outcome'), ...decisions }}
        onChange={(value) => onChange({ decision: value })}
      />
      {fixed && (
        <Narrowed
          words={t('{from} to {to}', { from: time.format(new Date(from)), to: time.format(new Date(to)) })}
          onEnd={() => onChange({ from: undefined, to: undefined })}
        />
      )}
      <DateRange search={search} onChange={onChange} />
      {(['username', 'resource', 'tool', 'reason', 'credential'] as const).map((key) =>
        search[key] ? (
          <Narrowed
            key={key}
            words={`${narrowWords[key]}: ${search[key]}`}
            onEnd={() => onChange({ [key]: undefined })}
          />
        ) : null,
      )}
      {subject && (
        <Narrowed words={t('Only {subject}', { subject })} onEnd={() => onChange({ subject: undefined })} />
      )}
    </div>
  );
}

const narrowWords = {
  username: t('Person'),
  resource: t('Resource'),
  tool: t('Tool'),
  reason: t('Reason'),
  credential: t('Token or session'),
} as const;

/** Two days, the first and the last of a stretch, as the reader counts them. */
function DateRange({ search, onChange }: { search: AuditSearch; onChange: (change: AuditSearch) => void }) {
  const fixed = isFixed(search);
  const [from, setFrom] = useState(() => dayOf(fixed ? search.from : undefined));
  const [to, setTo] = useState(() => dayOf(fixed ? search.to : undefined));
  const choose = (first: string, last: string) => {
    setFrom(first);
    setTo(last);
    if (first === '') return;
    const begin = new Date(`${first}T00:00:00`);
    const end = new Date(`${last === '' || last < first ? first : last}T00:00:00`);
    end.setDate(end.getDate() + 1);
    if (!Number.isNaN(begin.getTime()) && !Number.isNaN(end.getTime()))
      onChange({ from: begin.toISOString(), to: end.toISOString(), period: undefined });
  };
  const field = 'h-8 rounded-md border border-edge bg-raised px-2';
  return (
    <span className="flex items-center gap-1">
      <input
        type="date"
        aria-label={t('From day')}
        value={from}
        onChange={(event) => choose(event.currentTarget.value, to)}
        className={field}
      />
      <span aria-hidden className="text-quiet">
        –
      </span>
      <input
        type="date"
        aria-label={t('To day')}
        value={to}
        onChange={(event) => choose(from, event.currentTarget.value)}
        className={field}
      />
    </span>
  );
}

/** The day of a time where the reader is, as a date field has it. */
function dayOf(iso: string | undefined): string {
  if (iso === undefined) return '';
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}) {
  return (
    <select
      aria-label={label}
      value={Object.hasOwn(options, value) ? value : ''}
      onChange={(event) => onChange(event.currentTarget.value)}
      className="h-8 rounded-md border border-edge bg-raised px-2"
    >
      {Object.entries(options).map(([key, words]) => (
        <option key={key} value={key}>
          {words}
        </option>
      ))}
    </select>
  );
}

function Narrowed({ words, onEnd }: { words: string; onEnd: () => void }) {
  return (
    <Button onClick={onEnd} className="max-w-full">
      <span className="min-w-0 truncate">{words}</span>
      <X size={14} aria-hidden className="shrink-0" />
      <span className="sr-only">{t(': show all again')}</span>
    </Button>
  );
}
