import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type AuditEventInFull, meQuery } from '../api.ts';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { language, number, t } from '../words/words.ts';
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
        <section aria-label={t('Details')}>
          <h3 className="mb-1.5 font-semibold">{t('Details')}</h3>
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

const time = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' });

function What({ event }: { event: AuditEventInFull }) {
  return (
    <dl className="grid content-start gap-2.5">
      <Fact name={t('Time')}>
        {time.format(new Date(event.at))}
        <span className="block font-mono text-code text-quiet">{event.at}</span>
      </Fact>
      {event.last_at !== null && (
        <Fact name={t('Repeated')}>
          {t('{count} requests, the last on {time}', {
            count: event.count,
            time: time.format(new Date(event.last_at)),
          })}
          <span className="block font-mono text-code text-quiet">{event.last_at}</span>
        </Fact>
      )}
      <Fact name={t('Kind')}>{kinds[event.kind]}</Fact>
      <Fact name={t('Action')}>
        <Text text={event.action} />
      </Fact>
      {event.resource !== null && (
        <Fact name={t('Resource')}>
          <Text text={event.resource} />
        </Fact>
      )}
      {event.tool !== null && (
        <Fact name={t('Tool')}>
          <Text text={event.tool} />
        </Fact>
      )}
      <Fact name={t('Outcome')}>
        <AuditDecision decision={event.decision} status={event.status} />
        {event.status === 0 && <span className="text-quiet"> {t('the caller left first')}</span>}
      </Fact>
      {event.reason !== null && (
        <Fact name={event.decision === 'allow' ? t('Allowed by') : t('Reason')}>
          <Text text={event.reason} />
        </Fact>
      )}
      <Fact name={t('Took')}>{`${number(event.duration_ms)} ms`}</Fact>
      <Links event={event} />
    </dl>
  );
}

/** Where to go on from an event: why it was denied, the server, the token behind it. */
function Links({ event }: { event: AuditEventInFull }) {
  const { data: me } = useQuery(meQuery);
  const {
    kind,
    decision,
    username,
    resource,
    action,
    tool,
    credential_id: credential,
    auth_method: how,
  } = event;
  const link = 'rounded-sm underline underline-offset-4';
  const isServer = resource !== null && (kind === 'mcp' || event.action.startsWith('servers.'));
  return (
    <Fact name={t('Go to')}>
      <span className="flex flex-wrap gap-x-4 gap-y-1">
        {me?.is_admin && kind === 'mcp' && decision === 'deny' && username !== null && resource !== null && (
          <Link
            to="/access"
            search={{
              ...{ tab: 'check', who: username, server: resource, method: action },
              ...(tool !== null && { item: tool }),
            }}
            className={link}
          >
            {t('Why was it denied?')}
          </Link>
        )}
        {isServer && (
          <Link to="/servers/$" params={{ _splat: resource.replace(/^\//, '') }} className={link}>
            {t('The server')}
          </Link>
        )}
        {me?.is_admin && credential !== null && how === 'personal-token' && (
          <Link to="/tokens" search={{ tab: 'all', q: credential, state: 'all' }} className={link}>
            {t('The token that was used')}
          </Link>
        )}
        {username !== null && (
          <Link to="/audit" search={{ username, period: '7d', matter: 'all' }} className={link}>
            {t('Everything by {name}', { name: username })}
          </Link>
        )}
      </span>
    </Fact>
  );
}

function Who({ event }: { event: AuditEventInFull }) {
  const { username, provider, subject, client_id, auth_method, client_ip, correlation_id, id } = event;
  const { credential_id } = event;
  const known = {
    [t('Provider')]: provider,
    [t('Subject')]: subject,
    [t('Application')]: client_id,
    [t('Signed in by')]: auth_method,
    [t('Token or session')]: credential_id,
  };
  return (
    <dl className="grid content-start gap-2.5">
      <Fact name={t('Who')}>{username ?? t('No one that could be identified')}</Fact>
      {Object.entries(known).map(
        ([name, text]) =>
          text !== null && (
            <Fact key={name} name={name}>
              <Text text={text} />
            </Fact>
          ),
      )}
      <Fact name={t('Address')}>
        {client_ip ?? (event.last_at === null ? t('unknown') : t('several addresses'))}
      </Fact>
      <Fact name={t('Correlation id')}>
        <CopyText text={correlation_id} label={t('Copy correlation id')} />
      </Fact>
      <Fact name={t('Event id')}>
        <CopyText text={id} label={t('Copy event id')} />
      </Fact>
    </dl>
  );
}

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <section aria-label={t('What changed')}>
      <h3 className="mb-1.5 font-semibold">{t('What changed')}</h3>
      <table className="w-full table-fixed text-left">
        <caption className="sr-only">{t('Members before and after the change')}</caption>
        <thead className="text-meta text-quiet">
          <tr className="border-b border-line">
            <th scope="col" className="w-1/4 py-1 pr-3 font-medium">
              {t('Member')}
            </th>
            <th scope="col" className="py-1 pr-3 font-medium">
              {t('Before')}
            </th>
            <th scope="col" className="py-1 font-medium">
              {t('After')}
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
  if (text === null) return <span className="text-quiet">{t('nothing')}</span>;
  return <code className="block font-mono text-code break-words whitespace-pre-wrap">{text}</code>;
}
