import type { Credential, EgressCredentials } from '../egress/credential.ts';
import type { EgressServer } from '../egress/renew.ts';
import type { Identity } from '../identity/identity.ts';
import type { Credentials, Route } from '../registry/servers/route.ts';
import type { Exchange } from './exchange.ts';
import type { Target } from './route.ts';

const servers = new WeakMap<URL, EgressServer>();
const targets = new WeakMap<Credential, { readonly of: Target; readonly target: Target }>();

/**
 * Where a request goes with the credential of whoever makes it, for a server that wants one: at once where the credential is
 * at hand. Other targets stay as they are. Fails as `EgressCredentials.of` does.
 */
export function connected(
  connections: EgressCredentials | undefined,
  exchange: Exchange,
  target: Target,
  identity: Identity,
): Target | Promise<Target> {
  const server = wantsConnection(target);
  if (!server) return target;
  if (!connections) throw new Error(`nobody looks up credentials for '${target.server}'`);
  const credential = connections.of(server, identity);
  return credential instanceof Promise
    ? credential.then((one) => withCredential(connections, exchange, target, one))
    : withCredential(connections, exchange, target, credential);
}

/** The same after the server has refused the credential of `target`. */
export async function connectedAnew(
  connections: EgressCredentials,
  exchange: Exchange,
  target: Target,
  identity: Identity,
): Promise<Target | undefined> {
  const server = wantsConnection(target);
  if (!server || !target.connection) return undefined;
  const credential = await connections.instead(server, identity, target.connection);
  return withCredential(connections, exchange, target, credential);
}

/** A target with a credential, and how to get another in its place; other targets stay as they are. */
export function withAnew(
  connections: EgressCredentials,
  exchange: Exchange,
  target: Target,
  identity: Identity,
): Target {
  if (!target.connection) return target;
  return { ...target, anew: () => connectedAnew(connections, exchange, target, identity) };
}

/** The server as credentials are looked up for it; undefined where the operator's credential goes, or nobody's. */
function wantsConnection({ route, origin }: Target): EgressServer | undefined {
  const url = endpointAt(route, origin);
  if (!route.egress || !url) return undefined;
  const known = servers.get(url);
  if (known?.settings === route.egress && known.id === route.id) return known;
  const server = { id: route.id, name: route.name, settings: route.egress, url };
  servers.set(url, server);
  return server;
}

/** The endpoint at an origin: a credential is for one origin and goes to no other. */
function endpointAt({ mcp, sse }: Route, origin: string): URL | undefined {
  return [mcp, sse].find((url) => url?.origin === origin) ?? undefined;
}

function withCredential(
  connections: EgressCredentials,
  exchange: Exchange,
  of: Target,
  credential: Credential,
): Target {
  const { id, mode, account } = credential.connection;
  exchange.noted = {
    ...exchange.noted,
    ...{ connection: id, connection_mode: mode },
    ...(account === null ? {} : { connection_account: account }),
  };
  const first = exchange.asked?.messages[0];
  connections.used(id, first?.tool ?? first?.method ?? '');
  const known = targets.get(credential);
  if (known?.of === of) return known.target;
  const target = {
    ...of,
    connection: credential.connection,
    credentials: withHeader(of.credentials, credential),
  };
  targets.set(credential, { of, target });
  return target;
}

/** What the operator sends to the server besides stays; nothing of the client's goes along under the same name. */
function withHeader(operator: Credentials, { header, value }: Credential): Credentials {
  const name = header.toLowerCase();
  const others = operator.headers.filter((_, at) => operator.headers[at - (at % 2)]?.toLowerCase() !== name);
  return {
    headers: [...others, header, value],
    names: new Set([...operator.names, name]),
    forwardAuthorization: false,
    passes: new Set([...operator.passes].filter((one) => one !== name)),
  };
}
