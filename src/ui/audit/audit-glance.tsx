import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AuditSummary } from '../api.ts';
import { RelativeTime } from '../controls/relative-time.tsx';
import type { AuditSearch } from './audit-search.ts';

/** Who was refused most and which sign-ins failed, each leading to its events. */
export function AuditGlance({ summary }: { summary: AuditSummary }) {
  const { refusals, failed_sign_ins } = summary;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Box title="Refused most" none="Nobody was refused.">
        {refusals.map((one) => (
          <Entry
            key={`${one.provider} ${one.subject} ${one.client_ip}`}
            who={one.username ?? `Unknown, from ${one.client_ip ?? 'an unknown address'}`}
            {...one}
            search={{
              kind: undefined,
              decision: 'deny',
              ...(one.subject ? { subject: one.subject, q: undefined } : addressOf(one)),
            }}
          />
        ))}
      </Box>
      <Box title="Failed sign-ins" none="Every sign-in succeeded.">
        {failed_sign_ins.map((one) => (
          <Entry
            key={`${one.provider} ${one.subject} ${one.client_ip} ${one.reason}`}
            who={one.username ?? `From ${one.client_ip ?? 'an unknown address'}`}
            {...one}
            search={{ kind: 'sign-in', decision: undefined, subject: undefined, q: one.reason ?? undefined }}
          />
        ))}
      </Box>
    </div>
  );
}

function addressOf({ client_ip }: { client_ip: string | null }): AuditSearch {
  return { subject: undefined, q: client_ip ?? undefined };
}

function Box({ title, none, children }: { title: string; none: string; children: ReactNode[] }) {
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-raised p-4">
      <h2 className="mb-1 text-lead font-semibold">{title}</h2>
      {children.length === 0 ? <p className="text-quiet">{none}</p> : <ul>{children}</ul>}
    </section>
  );
}

function Entry({
  who,
  count,
  last_at,
  reason,
  search,
}: {
  who: string;
  count: number;
  last_at: string;
  reason?: string | null;
  search: AuditSearch;
}) {
  return (
    <li className="flex items-baseline gap-3 border-b border-line py-1.5 last:border-0">
      <span className="w-10 shrink-0 text-right font-semibold">
        {count}
        <span className="sr-only"> times</span>
      </span>
      <span className="min-w-0 flex-1">
        <Link
          to="/audit"
          search={(now) => ({ ...now, ...search, open: undefined })}
          resetScroll={false}
          className="break-words underline underline-offset-4"
        >
          {who}
        </Link>
        {reason && <span className="block font-mono text-code text-quiet">{reason}</span>}
      </span>
      <span className="shrink-0 text-meta text-quiet">
        <RelativeTime iso={last_at} />
      </span>
    </li>
  );
}
