import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { api, doctorQuery, processQuery, type Server, serversQuery } from '../api.ts';
import { Fact } from '../controls/fact.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { healthWords } from '../servers/health.tsx';
import { language, number, t } from '../words/words.ts';

type Overview = Awaited<ReturnType<typeof api<'system.overview'>>>;

/** The gateway at a glance: what runs since when, how its servers are, when its credentials end, where and how much is stored. */
export function GatewayOverview() {
  const { data, error, isPending, refetch } = useQuery(processQuery);
  const { data: whole, error: unknown } = useQuery({
    queryKey: ['system-overview'],
    queryFn: ({ signal }) => api('system.overview', { signal }),
    refetchInterval: 30_000,
  });
  const { data: ready } = useQuery({
    queryKey: ['ready'],
    queryFn: ({ signal }) => api('system.ready', { signal }),
    refetchInterval: 15_000,
  });
  return (
    <section aria-labelledby="overview" className="mb-8 grid gap-4">
      <h2 id="overview" className="text-lead font-semibold">
        {t('This gateway')}
      </h2>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && (
        <div className="grid gap-4 lg:grid-cols-2">
          <Box title={t('State')}>
            <Fact name={t('Health')}>
              {ready && (
                <span className="inline-flex items-center gap-1.5">
                  {ready.status === 'ready' ? (
                    <CircleCheck size={15} aria-hidden className="text-good" />
                  ) : (
                    <CircleX size={15} aria-hidden className="text-bad" />
                  )}
                  {ready.status === 'ready' ? t('Ready') : t('The database cannot be reached')}
                </span>
              )}
            </Fact>
            <Fact name={t('Version')}>
              {data.version} <span className="text-quiet">{t('on Node.js {node}', { node: data.node })}</span>
            </Fact>
            <Fact name={t('Started')}>
              <RelativeTime iso={data.started_at} />
            </Fact>
            <Fact name={t('Mode')}>
              {data.mode === 'evaluation'
                ? t('Evaluation: demo accounts, never for real data')
                : t('Production')}
            </Fact>
            <Fact name={t('Servers')}>
              <ServersByState />
            </Fact>
            <Fact name={t('Own credential')}>
              <Credentials />
            </Fact>
          </Box>
          {whole ? (
            <Stored whole={whole} />
          ) : (
            <Box title={t('Storage')}>{unknown ? <Problem error={unknown} /> : <Pending rows={4} />}</Box>
          )}
          {whole && <Replicas whole={whole} />}
          {whole && <Counts counts={whole.counts} />}
        </div>
      )}
    </section>
  );
}

function Box({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0 rounded-lg border border-line bg-raised p-4">
      <h3 className="mb-3 font-semibold">{title}</h3>
      <dl className="grid gap-2.5">{children}</dl>
    </section>
  );
}

function Stored({ whole: { database, audit } }: { whole: Overview }) {
  const alarms = {
    size_limit: t('The audit trail has reached its limit (AUDIT_MAX_MB).'),
    low_disk: t('The disk is nearly full (AUDIT_MIN_FREE_MB).'),
  };
  return (
    <Box title={t('Storage')}>
      <Fact name={t('Database')}>
        {database.kind === 'postgresql' ? 'PostgreSQL' : t('Embedded')}
        <span className="text-quiet"> · {size(database.bytes)}</span>
      </Fact>
      <Fact name={t('Audit events')}>
        {number(audit.events)}
        {audit.bytes !== null && <span className="text-quiet"> · {size(audit.bytes)}</span>}
        {audit.max_bytes !== null && (
          <span className="text-quiet"> {t('of {size}', { size: size(audit.max_bytes) })}</span>
        )}
      </Fact>
      <Fact name={t('Kept for')}>
        {t('{n} days', { n: audit.retention_days })}
        {audit.oldest !== null && (
          <span className="text-quiet">
            {' · '}
            {t('oldest')} <RelativeTime iso={audit.oldest} />
          </span>
        )}
      </Fact>
      {audit.free_bytes !== null && <Fact name={t('Free on the disk')}>{size(audit.free_bytes)}</Fact>}
      {audit.alarm !== null && (
        <Fact name={t('Alarm')}>
          <span className="text-bad">{alarms[audit.alarm]}</span>
        </Fact>
      )}
    </Box>
  );
}

function Replicas({ whole: { processes } }: { whole: Overview }) {
  const differ = new Set(processes.map(({ version }) => version)).size > 1;
  return (
    <section aria-label={t('Processes')} className="min-w-0 rounded-lg border border-line bg-raised p-4">
      <h3 className="mb-3 font-semibold">
        {t('Processes')} <span className="font-normal text-quiet">{processes.length}</span>
      </h3>
      {differ && <p className="mb-2 text-warn">{t('They run different versions.')}</p>}
      <ul className="grid gap-1.5">
        {processes.map(({ host, pid, version, started_at }) => (
          <li key={`${host} ${pid}`} className="flex flex-wrap items-baseline gap-x-3">
            <code className="min-w-0 font-mono text-code break-all">
              {host}:{pid}
            </code>
            <span className="text-quiet">
              {version} · {t('since')} <RelativeTime iso={started_at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Counts({ counts }: { counts: Overview['counts'] }) {
  const rows: readonly (readonly [string, number, string])[] = [
    [t('Servers'), counts.servers, '/servers'],
    [t('Virtual servers'), counts.virtual_servers, '/virtual-servers'],
    [t('Agents'), counts.agents, '/agents'],
    [t('People who have signed in'), counts.people, '/accounts'],
    [t('Sessions'), counts.sessions, '/operations?tab=sessions'],
    [t('Valid tokens'), counts.tokens, '/tokens?tab=all&state=active'],
    [t('Connected clients'), counts.connected_clients, '/oauth-clients'],
    [t('Requests waiting'), counts.requests_waiting, '/requests?tab=waiting'],
  ];
  return (
    <section
      aria-label={t('In the registry')}
      className="min-w-0 rounded-lg border border-line bg-raised p-4"
    >
      <h3 className="mb-3 font-semibold">{t('In the registry')}</h3>
      <ul className="grid grid-cols-2 gap-x-6 gap-y-1.5">
        {rows.map(([words, n, href]) => (
          <li key={words} className="flex items-baseline justify-between gap-3">
            <Link to={href as '/'} className="rounded-sm underline decoration-line underline-offset-4">
              {words}
            </Link>
            <span className="tabular-nums">{number(n)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const states = ['unhealthy', 'auth-failing', 'unknown', 'healthy', 'disabled'] as const;

/** How many servers are in each state of health, the worst first; each leads to the list of them. */
function ServersByState() {
  const { data, error } = useQuery(serversQuery);
  if (!data)
    return <span className="text-quiet">{error ? t('cannot be determined now') : t('Loading')}</span>;
  const count = (state: Server['health_status']) =>
    data.servers.filter(({ health_status }) => health_status === state).length;
  const occurring = states.filter((state) => count(state) > 0);
  if (occurring.length === 0) return <>{t('none is registered')}</>;
  return (
    <ul aria-label={t('Servers by health')} className="flex flex-wrap gap-x-4 gap-y-1">
      {occurring.map((state) => (
        <li key={state}>
          <Link to="/servers" search={{ health: state }} className="rounded-sm underline underline-offset-4">
            {count(state)} {healthWords(state).toLowerCase()}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** When what the gateway proves itself with at the identity provider ends, as far as the doctor knows. */
function Credentials() {
  const { data, error } = useQuery(doctorQuery(60));
  if (!data)
    return <span className="text-quiet">{error ? t('cannot be determined now') : t('Loading')}</span>;
  if (data.credentials.length === 0) return <>{t('has no end that is known')}</>;
  return (
    <ul>
      {data.credentials.map(({ kind, expires_at }) => (
        <li key={`${kind} ${expires_at}`}>
          {kind === 'secret' ? t('Client secret: ends') : t('Certificate: ends')}{' '}
          <RelativeTime iso={expires_at} />
        </li>
      ))}
    </ul>
  );
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** A size as the reader writes it: `3.4 MB`. */
function size(bytes: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1000)));
  return new Intl.NumberFormat(language, {
    ...{ style: 'unit', unit: units[step] ?? 'byte', unitDisplay: 'short' },
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step);
}
