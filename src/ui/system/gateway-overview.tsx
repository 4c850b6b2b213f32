import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { doctorQuery, processQuery, type Server, serversQuery } from '../api.ts';
import { Fact } from '../controls/fact.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { healthWords } from '../servers/health.tsx';

/** The gateway in a few lines: what runs since when, how its servers are, and when its own credentials end. */
export function GatewayOverview() {
  const { data, error, isPending, refetch } = useQuery(processQuery);
  return (
    <section aria-labelledby="overview" className="mb-10 grid gap-4">
      <h2 id="overview" className="text-lead font-semibold">
        This gateway
      </h2>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && (
        <dl className="grid gap-x-10 gap-y-2.5 rounded-lg border border-line bg-raised p-4 lg:grid-cols-2">
          <Fact name="Version">
            {data.version} <span className="text-quiet">on Node.js {data.node}</span>
          </Fact>
          <Fact name="Started">
            <RelativeTime iso={data.started_at} />
          </Fact>
          <Fact name="Mode">
            {data.mode === 'evaluation' ? 'Evaluation: demo accounts, never for real data' : 'Production'}
          </Fact>
          <Fact name="Servers">
            <ServersByState />
          </Fact>
          <Fact name="Own credential">
            <Credentials />
          </Fact>
        </dl>
      )}
    </section>
  );
}

const states = ['unhealthy', 'auth-failing', 'unknown', 'healthy', 'disabled'] as const;

/** How many servers are in each state of health, the worst first; each leads to the list of them. */
function ServersByState() {
  const { data, error } = useQuery(serversQuery);
  if (!data) return <span className="text-quiet">{error ? 'cannot be told now' : 'Loading'}</span>;
  const count = (state: Server['health_status']) =>
    data.servers.filter(({ health_status }) => health_status === state).length;
  const occurring = states.filter((state) => count(state) > 0);
  if (occurring.length === 0) return <>none is registered</>;
  return (
    <ul aria-label="Servers by health" className="flex flex-wrap gap-x-4 gap-y-1">
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
  if (!data) return <span className="text-quiet">{error ? 'cannot be told now' : 'Loading'}</span>;
  if (data.credentials.length === 0) return <>has no end that is known</>;
  return (
    <ul>
      {data.credentials.map(({ kind, expires_at }) => (
        <li key={`${kind} ${expires_at}`}>
          {kind === 'secret' ? 'Client secret' : 'Certificate'}: ends <RelativeTime iso={expires_at} />
        </li>
      ))}
    </ul>
  );
}
