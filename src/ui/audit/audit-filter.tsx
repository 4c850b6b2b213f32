import { X } from 'lucide-react';
import { Button } from '../controls/button.tsx';
import { Search } from '../controls/search.tsx';
import type { periods } from './audit-asked.ts';
import { decisions, isFixed, kinds, periodOf } from './audit-asked.ts';
import type { AuditSearch } from './audit-search.ts';

const periodWords: Record<keyof typeof periods, string> = {
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
};
const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

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
        things="events"
        placeholder="User, address, action, resource, tool, reason"
        value={text}
        onChange={onText}
      />
      <Choice
        label="Time"
        value={fixed ? '' : periodOf(search)}
        options={{ ...(fixed ? { '': 'A chosen stretch' } : {}), ...periodWords }}
        onChange={(period) => onChange({ period, from: undefined, to: undefined })}
      />
      <Choice
        label="Kind"
        value={kind}
        options={{ '': 'Every kind', ...kinds }}
        onChange={(value) => onChange({ kind: value })}
      />
      <Choice
        label="Outcome"
        value={decision}
        options={{ '': 'Every outcome', ...decisions }}
        onChange={(value) => onChange({ decision: value })}
      />
      {fixed && (
        <Narrowed
          words={`${time.format(new Date(from))} to ${time.format(new Date(to))}`}
          onEnd={() => onChange({ from: undefined, to: undefined })}
        />
      )}
      {subject && <Narrowed words={`Only ${subject}`} onEnd={() => onChange({ subject: undefined })} />}
    </div>
  );
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
      <span className="sr-only">: show all again</span>
    </Button>
  );
}
