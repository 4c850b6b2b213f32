import { useQuery } from '@tanstack/react-query';
import type { AuditEventInFull } from '../api.ts';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { kinds } from './audit-asked.ts';
import { type Change, changesIn } from './audit-changes.ts';
import { AuditDecision } from './audit-decision.tsx';
import { auditEventQuery } from './audit-query.ts';

/** One event in full: who, what, how it ended, and before and after of a change. */
export function AuditDetail({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(auditEventQuery(id));
  if (isPending) return <Pending />;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  const { changes, others } = changesIn(data.detail);
  return (
    <div className="grid gap-5">
      <div className="grid gap-x-10 gap-y-2.5 lg:grid-cols-2">
        <What event={data} />
        <Who event={data} />
      </div>
      {changes.length > 0 && <Changes changes={changes} />}
      {others.length > 0 && (
        <section aria-label="Details">
          <h3 className="mb-1.5 font-semibold">Details</h3>
          <dl className="grid gap-2.5">
            {others.map(([name, text]) => (
              <Fact key={name} name={name}>
                <Text text={text} />
              </Fact>
            ))}
          </dl>
        </section>
      )}
    </div>
  );
}

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

function What({ event }: { event: AuditEventInFull }) {
  return (
    <dl className="grid content-start gap-2.5">
      <Fact name="Time">
        {time.format(new Date(event.at))}
        <span className="block font-mono text-code text-quiet">{event.at}</span>
      </Fact>
      <Fact name="Kind">{kinds[event.kind]}</Fact>
      <Fact name="Action">
        <Text text={event.action} />
      </Fact>
      {event.resource !== null && (
        <Fact name="Resource">
          <Text text={event.resource} />
        </Fact>
      )}
      {event.tool !== null && (
        <Fact name="Tool">
          <Text text={event.tool} />
        </Fact>
      )}
      <Fact name="Outcome">
        <AuditDecision decision={event.decision} status={event.status} />
        {event.status === 0 && <span className="text-quiet"> the caller left first</span>}
      </Fact>
      {event.reason !== null && (
        <Fact name={event.decision === 'allow' ? 'Allowed by' : 'Reason'}>
          <Text text={event.reason} />
        </Fact>
      )}
      <Fact name="Took">{event.duration_ms} ms</Fact>
    </dl>
  );
}

function Who({ event }: { event: AuditEventInFull }) {
  const { username, provider, subject, client_id, auth_method, client_ip, correlation_id, id } = event;
  const known = { Provider: provider, Subject: subject, Application: client_id, 'Proved by': auth_method };
  return (
    <dl className="grid content-start gap-2.5">
      <Fact name="Who">{username ?? 'Nobody that could be identified'}</Fact>
      {Object.entries(known).map(
        ([name, text]) =>
          text !== null && (
            <Fact key={name} name={name}>
              <Text text={text} />
            </Fact>
          ),
      )}
      <Fact name="Address">{client_ip ?? 'unknown'}</Fact>
      <Fact name="Correlation id">
        <CopyText text={correlation_id} label="Copy correlation id" />
      </Fact>
      <Fact name="Event id">
        <CopyText text={id} label="Copy event id" />
      </Fact>
    </dl>
  );
}

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <section aria-label="What changed">
      <h3 className="mb-1.5 font-semibold">What changed</h3>
      <table className="w-full table-fixed text-left">
        <caption className="sr-only">Members before and after the change</caption>
        <thead className="text-meta text-quiet">
          <tr className="border-b border-line">
            <th scope="col" className="w-1/4 py-1 pr-3 font-medium">
              Member
            </th>
            <th scope="col" className="py-1 pr-3 font-medium">
              Before
            </th>
            <th scope="col" className="py-1 font-medium">
              After
            </th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ name, before, after }) => (
            <tr key={name} className="border-b border-line align-top last:border-0">
              <th scope="row" className="py-1.5 pr-3 font-normal">
                <Text text={name || 'value'} />
              </th>
              <td className="py-1.5 pr-3">
                <Text text={before} />
              </td>
              <td className="py-1.5">
                <Text text={after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Text({ text }: { text: string | null }) {
  if (text === null) return <span className="text-quiet">nothing</span>;
  return <code className="block font-mono text-code break-words whitespace-pre-wrap">{text}</code>;
}
