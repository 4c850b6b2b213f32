import { ChevronRight } from 'lucide-react';
import { memo, useId } from 'react';
import type { AuditEventShown } from '../api.ts';
import { language, t } from '../words/words.ts';
import { kinds } from './audit-asked.ts';
import { AuditDecision } from './audit-decision.tsx';
import { AuditDetail } from './audit-detail.tsx';
import { sentenceOf } from './audit-sentence.ts';

/** The columns of the list on a wide page, shared by its head and its rows. */
export const auditColumns = 'lg:grid-cols-[1rem_11rem_minmax(0,1fr)_6rem_8rem]';

const time = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'medium' });

/** One event in the list, which opens to all that is kept of it. */
export const AuditRow = memo(function AuditRow({
  event,
  open,
  onToggleOpen,
}: {
  event: AuditEventShown;
  open: boolean;
  onToggleOpen: (id: string) => void;
}) {
  const detail = useId();
  const { id, at, kind, action, resource, tool, decision, status } = event;
  return (
    <li className="border-b border-line last:border-0">
      <div
        className={`relative grid grid-cols-[1rem_minmax(0,1fr)_auto] items-start gap-x-3 gap-y-0.5 px-4 py-2 hover:bg-hover ${auditColumns}`}
      >
        <ChevronRight
          size={16}
          aria-hidden
          className={`mt-0.5 text-quiet motion-safe:transition-transform ${open ? 'rotate-90' : ''}`}
        />
        <time dateTime={at} title={`${at} UTC`} className="text-quiet">
          {time.format(new Date(at))}
        </time>
        <span className="min-w-0 max-lg:order-2 max-lg:col-span-2 max-lg:col-start-2">
          <button
            type="button"
            aria-expanded={open}
            aria-controls={open ? detail : undefined}
            onClick={() => onToggleOpen(id)}
            className="text-left after:absolute after:inset-0"
          >
            {sentenceOf(event)}
            {event.last_at !== null && (
              <span className="block">
                {t('{count} times until {time}', {
                  count: event.count,
                  time: time.format(new Date(event.last_at)),
                })}
              </span>
            )}
            <span className="block font-mono text-code text-quiet">
              {[action, resource, tool].filter(Boolean).join(' · ')}
            </span>
          </button>
        </span>
        <span className="text-quiet max-lg:order-3 max-lg:col-span-2 max-lg:col-start-2">{kinds[kind]}</span>
        <span className="max-lg:col-start-3 max-lg:row-start-1">
          <AuditDecision decision={decision} status={status} />
        </span>
      </div>
      {open && (
        <div id={detail} className="border-t border-line bg-paper px-4 py-4 sm:pl-11">
          <AuditDetail id={id} />
        </div>
      )}
    </li>
  );
});
