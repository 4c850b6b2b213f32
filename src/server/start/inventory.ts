import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { looksLikeEvery } from '../../contract/values/names.ts';
import type { Call } from '../access/call.ts';
import { decide } from '../access/decide.ts';
import { accessOf } from '../access/grants.ts';
import { parseScopes, type ScopeSet } from '../access/scope-set.ts';
import { type Config, copyOfExample, packagedFile } from '../config/config.ts';
import { knownProviders } from '../config/config-oidc.ts';
import type { GoneAt } from '../egress/revoke.ts';
import { createConnectionVault } from '../egress/vault.ts';
import { groupNames } from '../identity/groups/group-names.ts';
import type { Identity } from '../identity/identity.ts';
import { createSealer } from '../identity/sealer.ts';
import { secureContextOf } from '../net/connector.ts';
import { listAgents } from '../registry/agents/store.ts';
import { startScopes } from '../registry/scopes/watch.ts';
import { credentialsFrom } from '../registry/servers/credential.ts';
import { createServerEvents } from '../registry/servers/events.ts';
import type { ServersWorld } from '../registry/servers/handlers.ts';
import { createCheckApart } from '../registry/servers/health/check-apart.ts';
import { createLookAfter } from '../registry/servers/health/look-after.ts';
import { createHealthWatch } from '../registry/servers/health/watch-health.ts';
import { startRoutes } from '../registry/servers/routes.ts';
import type { ServerRow } from '../registry/servers/store.ts';
import { startVirtualTable } from '../registry/virtual-servers/table.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';
import { recordsOfEnds, recordsOfFile, recordsOfSettings } from './unasked-grants.ts';

/** The inventory: scopes and servers, and what keeps them current. */
export type Inventory = Awaited<ReturnType<typeof buildInventory>>;

/** Up to so many servers cost next to nothing to check, and their checks are as urgent as calls. */
const fewServers = 500;

/** What is known of servers by the credentials that go there. */
interface Told {
  /** The gateway's own credential at a server, as headers. */
  headers: (row: ServerRow) => Promise<readonly string[]>;
  takesAccounts: ServersWorld['takesAccounts'];
  connectionsEndedAt: ServersWorld['connectionsEndedAt'];
}

/** Builds the registry: the scopes in force, the servers with their routes, credentials, checks and events. */
export async function buildInventory(
  { db, feed, keys, config, log, now, trail }: Base,
  version: string,
  ending: Ending,
) {
  const file = config.scopesFile;
  const { canonical } = groupNames(config.providers, knownProviders);
  const extraMappings = mappingsOf(config);
  const record = recordsOfFile({ trail, now }, file);
  const builtIn = builtInRoles();
  const remedy = `set ENTRA_GROUP_ADMIN_ID, or create it with: ${copyOfExample('scopes.yml', file)}`;
  const groupsAreIds = config.providers.every((name) => name === 'entra');
  const given = { file, builtIn, remedy, extraMappings, canonical, groupsAreIds };
  const recordEnd = recordsOfEnds({ trail, now });
  const recordSettings = recordsOfSettings({ trail, now });
  const scopes = await startScopes({ db, feed, now, log, record, recordEnd, recordSettings, ...given });
  ending.defer(() => scopes.close());
  const access = (identity: Identity) => accessOf(identity, scopes.grants());

  const policy = policyOf(config);
  const vault = createSealer(keys.of('upstream-credential'));
  const credentialsOf = credentialsFrom(vault);
  const routes = await startRoutes({ db, feed, credentialsOf });
  ending.defer(() => routes.close());
  warnOfWildcards(
    [...[...routes.all()].map(({ name }) => ({ path: `/${name}` })), ...(await listAgents(db))],
    log,
  );
  const { tls } = config.gateway;
  const wayOut = { proxy: config.proxy, tls: tls && secureContextOf(tls) };
  const { https, http, except } = config.proxy;
  const apart = createCheckApart({
    ...{ policy, version, tls: tls ?? null, extraCa: config.extraCa },
    proxy: { https: https?.href ?? null, http: http?.href ?? null, except },
    givesWay: [...routes.all()].filter(({ enabled }) => enabled).length > fewServers,
  });
  ending.defer(() => apart.close());
  const { check } = apart;
  // What the credentials of people tell of servers; built later, from this.
  const told: Told = { headers: async () => [], takesAccounts: async () => null, connectionsEndedAt() {} };
  const ownHeaders = (row: ServerRow) => told.headers(row);
  const lookAfter = createLookAfter({
    ...{ db, now, check, credentialsOf, ownHeaders, slowMs: config.health.slowMs },
  });
  const decideTool = (who: Identity, server: string, tool: string): boolean =>
    decide(who, { server, method: 'tools/call', tool }, scopes.grants()).allow;
  const events = createServerEvents({ db, feed, decideTool, accessOf: access });
  ending.defer(() => events.close());
  const intervalMs = config.health.intervalSeconds * 1000;
  const watch = createHealthWatch({ db, routes, lookAfter, log, now, intervalMs, random: Math.random });
  ending.defer(() => watch.close());
  const servers = {
    ...{ db, now, lookAfter, check, policy, vault, events, decideTool },
    egress: {
      vault: createConnectionVault(keys),
      limits: config.egress,
    },
    rows: routes.rows,
    serversPerPerson: config.serversPerPerson,
    newId: randomUUID as () => string,
    publicUrl: config.registryUrl,
    takesAccounts: (url: URL) => told.takesAccounts(url),
    connectionsEndedAt: (row: ServerRow, gone: GoneAt) => told.connectionsEndedAt(row, gone),
  };
  const table = await startVirtualTable({ db, feed, findRoute: routes.find });
  ending.defer(() => table.close());
  const virtualServers = {
    ...{ db, now, findRoute: routes.find, publicUrl: config.registryUrl, newId: servers.newId },
    table,
    decide: (who: Identity, call: Call) => decide(who, call, scopes.grants()),
  };
  return { scopes, access, routes, events, watch, servers, virtualServers, wayOut, told };
}

/** The four roles and what belongs to them, as they are without a scope file. */
export function builtInRoles(): ScopeSet {
  const file = packagedFile('examples/roles.yml');
  return parseScopes(readFileSync(file, 'utf8'), file);
}

/** Things that an earlier version let be registered under a name that scopes take for every one. */
function warnOfWildcards(rows: readonly { readonly path: string }[], log: Base['log']): void {
  const paths = rows.map(({ path }) => path).filter(looksLikeEvery);
  if (paths.length > 0)
    log.error(
      { paths },
      'SECURITY: these names stand for every server or agent in scopes, so no scope can name them and they are not granted to anyone by name. Register them under another path and remove these. Permissions of scopes created through the API that said all were dropped when the database was brought up to this version, since they could not be distinguished from permissions on these; grant them again.',
    );
}

/** The guide's two group settings, as mappings for groups that scopes.yml does not map. */
function mappingsOf({ entra }: Config): Record<string, string[]> {
  const unrestricted = ['mcp-servers-unrestricted/read', 'mcp-servers-unrestricted/execute'];
  return {
    ...(entra?.groupAdminId
      ? { [`entra:${entra.groupAdminId}`]: ['mcp-registry-admin', 'registry-admins', ...unrestricted] }
      : {}),
    ...(entra?.groupUsersId
      ? { [`entra:${entra.groupUsersId}`]: ['mcp-registry-user', 'mcp-servers-restricted/read'] }
      : {}),
  };
}

function policyOf(config: Config): { allowPrivate: boolean; allow: readonly string[] } {
  const allow = config.allowedNetworks.filter((network) => network !== 'private');
  return { allowPrivate: config.allowedNetworks.includes('private'), allow };
}
