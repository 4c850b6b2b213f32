import type { Diagnosis, Finding } from '../../contract/diagnosis/doctor.ts';
import type { Db } from '../db/tables.ts';
import { asFailure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';
import { redirectUriOf, type Source } from './clients.ts';
import { type EgressServer, endOf, isFor, statusOf } from './renew.ts';
import { beyondLimits, type EgressLimits } from './settings.ts';
import type { Sources } from './sources.ts';
import { type Connection, connectionsAt } from './store.ts';

/** What connections are examined with. */
export interface ConnectionsDoctorWorld {
  readonly db: Db;
  readonly sources: Sources;
  readonly fetch: Fetch;
  readonly limits: EgressLimits;
  readonly publicUrl: string;
  readonly now: () => number;
  /** The servers to which credentials go that are looked up. */
  readonly servers: () => readonly EgressServer[];
}

/** Servers examined at most, and at once: each costs requests of somebody else's server. */
const mostServers = 200;
const atOnce = 8;
/** So long before its end a credential is worth a word, in milliseconds. */
const soonMs = 14 * 86_400_000;

/** Those in other modes are got again by themselves. */
const lasting: ReadonlySet<string> = new Set(['oauth_user', 'pat']);

type Verdict = Pick<Finding, 'level' | 'what' | 'remedy'>;

/** What is known of a server when it is judged. */
interface Facts {
  readonly server: EgressServer;
  readonly source: Source | { readonly problem: string } | undefined;
  /** What the authorization server said to a request for a code: its status; undefined when it was not asked. */
  readonly authorization: number | undefined;
  readonly client: ReturnType<Sources['clientKind']> | undefined;
  readonly connections: readonly Connection[];
  readonly world: ConnectionsDoctorWorld;
}

/** Looks at whatever people's credentials at servers need. It changes nothing there and here, and never throws. */
export async function examineConnections(world: ConnectionsDoctorWorld): Promise<Diagnosis> {
  const servers = world.servers().slice(0, mostServers);
  const findings: Finding[] = [];
  for (let at = 0; at < servers.length; at += atOnce) {
    const some = servers.slice(at, at + atOnce);
    findings.push(...(await Promise.all(some.map((server) => examine(world, server)))).flat());
  }
  return { healthy: findings.every(({ level }) => level !== 'fail'), findings, credentials: [] };
}

async function examine(world: ConnectionsDoctorWorld, server: EgressServer): Promise<Finding[]> {
  const facts = await gather(world, server);
  return checks.flatMap(({ id, why, run }) => {
    const verdict = run(facts);
    return verdict ? [{ id, group: `Connections to ${server.name}`, why, ...verdict }] : [];
  });
}

async function gather(world: ConnectionsDoctorWorld, server: EgressServer): Promise<Facts> {
  const connections = await connectionsAt(world.db, server.id).catch(() => []);
  const usesOauth =
    ['oauth_user', 'client_credentials'].includes(server.settings.egress_auth_mode) ||
    server.settings.discovery === 'client_credentials';
  const none = { source: undefined, authorization: undefined, client: undefined };
  if (!usesOauth) return { ...none, server, connections, world };
  let source: Source;
  try {
    source = await world.sources.sourceOf(server);
    await answers(world.fetch, source.tokenUrl);
  } catch (error) {
    return { ...none, server, connections, world, source: { problem: asFailure(error).message } };
  }
  const client = world.sources.clientKind(server, source);
  const authorization = await asksForCode(world, server, source, client);
  return { server, connections, world, source, client, authorization };
}

/** Any status shows that it is there. */
async function answers(send: Fetch, url: string): Promise<void> {
  const response = await send(url, { headers: { accept: 'application/json' } });
  await response.body?.cancel();
}

/** Begins an authorization that nobody will finish; undefined where the client is not known yet, or it cannot be asked. */
async function asksForCode(
  { fetch: send, publicUrl }: ConnectionsDoctorWorld,
  server: EgressServer,
  { authorizeUrl }: Source,
  client: Facts['client'],
): Promise<number | undefined> {
  const { settings } = server;
  if (settings.egress_auth_mode !== 'oauth_user' || authorizeUrl === null || settings.client_id === null)
    return undefined;
  if (client !== 'given') return undefined;
  const url = new URL(authorizeUrl);
  const asked: Record<string, string> = {
    ...{ response_type: 'code', client_id: settings.client_id, state: 'doctor' },
    redirect_uri: redirectUriOf(server, publicUrl),
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
    ...(settings.scopes.length > 0 ? { scope: settings.scopes.join(' ') } : {}),
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  try {
    const response = await send(url, { headers: { accept: 'text/html' } });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** One check: it judges facts and asks nothing. */
interface Check {
  readonly id: string;
  readonly why: string;
  run(facts: Facts): Verdict | undefined;
}

const checks: readonly Check[] = [
  {
    id: 'connection-provider',
    why: 'Tokens come from there: without it no one can connect, and what has ended is not renewed.',
    run({ source, server }) {
      if (source === undefined) return undefined;
      if (!('problem' in source))
        return well(`The authorization server at ${hostOf(source)} can be reached.`);
      return not(
        'fail',
        `The authorization server of '${server.name}' cannot be used: ${source.problem}`,
        'Open the server, tab Settings, Credential for the server: check the issuer or the addresses.',
        showing(server),
      );
    },
  },
  {
    id: 'connection-client',
    why: 'The gateway is a client there, which the authorization server has to know.',
    run({ client, server, source }) {
      if (client === undefined || source === undefined || 'problem' in source) return undefined;
      const words = {
        given: `It is known there as the client '${server.settings.client_id}'.`,
        document: 'It is known there by its metadata document.',
        registers: 'It registers itself there when someone connects.',
      };
      if (client !== 'missing') return well(words[client]);
      return not(
        'fail',
        `The authorization server of '${server.name}' knows only clients that are registered there, and no client id is set.`,
        `Register a client at ${hostOf(source)} and enter its id and secret at the server.`,
        `mcp-gateway connection configure /${server.name} --mode ${server.settings.egress_auth_mode} --client-id ID --client-secret-stdin`,
      );
    },
  },
  {
    id: 'connection-redirect',
    why: 'People come back to this address with the code; a client is registered with exactly this address.',
    run({ authorization, server, source, world }) {
      if (authorization === undefined || source === undefined || 'problem' in source) return undefined;
      const redirect = redirectUriOf(server, world.publicUrl);
      if (authorization < 400 || authorization >= 500 || authorization === 429)
        return well(`A request for a code with the redirect URI ${redirect} was not refused.`);
      return not(
        'fail',
        `The authorization server of '${server.name}' refuses to ask anyone (status ${authorization}).`,
        `Register exactly ${redirect} as redirect URI of the client '${server.settings.client_id}' at ${hostOf(source)}, and check the id and the scopes.`,
        showing(server),
      );
    },
  },
  {
    id: 'connection-limits',
    why: 'Tokens are asked for within EGRESS_ALLOWED_SCOPES and EGRESS_ALLOWED_AUDIENCES only.',
    run({ server, world }) {
      const beyond = beyondLimits(server.settings, world.limits);
      if (!beyond) return undefined;
      return not(
        'fail',
        `No credential goes to '${server.name}': ${beyond}.`,
        'Choose other scopes or another audience for the server, or extend the setting.',
        showing(server),
      );
    },
  },
  {
    id: 'connection-discovery',
    why: 'The stored lists come from this identity; no one stands in for it.',
    run({ server, connections, world }) {
      if (server.settings.discovery !== 'person') return undefined;
      const held = connections.find((one) => one.owner.purpose === 'discovery' && isFor(one, server));
      if (held && statusOf(server, held, world.now()) === 'connected')
        return well(`${held.username} is connected for the lists of '${server.name}'.`);
      return not(
        'fail',
        held
          ? `The connection of ${held.username} for the lists of '${server.name}' has ended or is refused.`
          : `No one is connected for the lists of '${server.name}'.`,
        'Open the server as an administrator, tab Settings, Credential for the server: connect for its lists.',
        showing(server),
      );
    },
  },
  {
    id: 'connection-expiry',
    why: 'A token that someone entered is not renewed by itself; after its end their calls ask for another.',
    run({ server, connections, world }) {
      const ending = connections.filter((one) => {
        const end = lasting.has(one.mode) ? endOf(one) : null;
        return end !== null && end > world.now() && end - world.now() < soonMs;
      });
      const first = ending.sort((a, b) => (endOf(a) ?? 0) - (endOf(b) ?? 0))[0];
      if (!first) return undefined;
      const on = new Date(endOf(first) ?? 0).toISOString().slice(0, 10);
      const isOwn = first.owner.purpose === 'discovery';
      return not(
        'warn',
        isOwn
          ? `The connection for the lists of '${server.name}' ends on ${on}.`
          : `${ending.length === 1 ? 'A credential' : `${ending.length} credentials`} for '${server.name}' will end within two weeks, the first on ${on}.`,
        isOwn
          ? 'Connect for its lists again before that.'
          : 'Their owners replace them on the page Connections.',
        'mcp-gateway connection list',
      );
    },
  },
  {
    id: 'connection-refused',
    why: 'The server no longer takes these credentials: their owners are asked to connect again.',
    run({ server, connections }) {
      const refused = connections.filter(({ status }) => status === 'refused').length;
      const held = connections.length;
      if (held === 0 || refused * 2 <= held) return undefined;
      return not(
        'warn',
        `'${server.name}' refuses ${refused} of ${held} stored credentials.`,
        'Look at the scopes and the audience of the server: it may ask for more than was granted.',
        showing(server),
      );
    },
  },
];

/** The command that shows how a server's credentials are arranged. */
function showing({ name }: EgressServer): string {
  return `mcp-gateway connection get /${name}`;
}

function hostOf({ tokenUrl }: Source): string {
  return new URL(tokenUrl).host;
}

function well(what: string): Verdict {
  return { level: 'ok', what };
}

function not(level: 'warn' | 'fail', what: string, portal: string, command: string): Verdict {
  return { level, what, remedy: { portal, command } };
}
