import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { credentialInput } from '../../src/contract/servers/server-credentials.ts';
import { egressInput } from '../../src/contract/servers/server-egress.ts';
import { serverInput } from '../../src/contract/servers/servers.ts';
import { readConfig } from '../../src/server/config/config.ts';
import { moveRows } from '../../src/server/db/move.ts';
import { openDatabase } from '../../src/server/db/open.ts';
import { openPostgres } from '../../src/server/db/postgres/open.ts';
import type { Db } from '../../src/server/db/tables.ts';
import { storeConnection } from '../../src/server/egress/store.ts';
import { createConnectionVault } from '../../src/server/egress/vault.ts';
import type { Identity } from '../../src/server/identity/identity.ts';
import { deriveKey, keyringOf } from '../../src/server/identity/keys.ts';
import { rememberPerson } from '../../src/server/identity/people.ts';
import { mintToken } from '../../src/server/identity/personal-token.ts';
import { createSealer } from '../../src/server/identity/sealer.ts';
import { storeClient } from '../../src/server/oauth/clients/clients.ts';
import { storeGrant } from '../../src/server/oauth/grants.ts';
import { createKeys } from '../../src/server/oauth/keys.ts';
import { changedCredential } from '../../src/server/registry/servers/credential.ts';
import { freePort } from '../harness.ts';
import { answers } from './baselines.ts';
import type { Identities } from './identities.ts';
import { type Started, startProgram } from './processes.ts';

/** A gateway that runs as a process of its own, in production mode. */
export interface BenchGateway extends Started {
  readonly port: number;
  /** Milliseconds from its start to the first answered call. */
  readonly startedIn: number;
  readonly dataDir: string;
  /** One person's tokens: a personal one, and one of a program that the person signed in from. */
  readonly person: { readonly personal: string; readonly oauth: string };
}

/** A server of which the tools are known. */
interface Known {
  readonly name: string;
  readonly path: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly tools: readonly object[];
}

/** What it holds. */
export interface Size {
  readonly servers: number;
  readonly scopes: number;
  /** The directory of another build; this one unless given. */
  readonly root?: string;
  /** The servers beyond the usual ones are switched on and looked after this often, in seconds. */
  readonly checkedEvery?: number;
  /** An empty database on PostgreSQL; the embedded one unless given. */
  readonly database?: string;
  /** Processes that serve, on whichever cores are free; one on the core of what is measured unless given. */
  readonly workers?: number;
  /** Tools that each of those is known to have. */
  readonly toolsEach?: number;
  /** Further servers, switched off, that are known to have these tools. */
  readonly catalogue?: readonly Known[];
}

const secretKey = 'only-for-the-benchmark-8d41c7fb02e96a35b7f0642d9ec1583a';

/** The groups of the scope file: who may call all, some of the tools, or none. */
export const groups = { all: 'bench-all', some: 'bench-some', none: 'bench-none' } as const;

const paths = ['json', 'operated', 'connected', 'list', 'slow', 'ticks', 'idle', 'member', 'thousand'];

/** Starts the built gateway with servers of the upstream's paths among others, and waits for the first answered call. */
export async function startBenchGateway(
  directory: string,
  name: string,
  identities: Identities,
  upstreamPort: number,
  { servers, scopes, root = '.', checkedEvery = 0, toolsEach = 0, catalogue = [], database, workers }: Size,
): Promise<BenchGateway> {
  const dataDir = join(directory, name);
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'scopes.yml'), scopeFile(scopes));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const seeds = { count: servers, enabled: checkedEvery > 0, toolsEach, catalogue, issuer };
  const person = await seed(dataDir, upstreamPort, seeds);
  if (database) await move(dataDir, database);
  const { tenantId, clientId, origin, certificate } = identities;
  const token = await identities.token(0, groups.all);
  const begun = performance.now();
  const args = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter(Boolean);
  const gateway = startProgram(
    workers ? 'any' : 'measured',
    process.execPath,
    [...args, join(root, 'bin/mcp-gateway.mjs'), 'start'],
    {
      loud: true,
      env: {
        ...{ AUTH_PROVIDER: 'entra', ENTRA_TENANT_ID: tenantId, ENTRA_CLIENT_ID: clientId },
        ...{ ENTRA_CLIENT_SECRET: 'not-used', ENTRA_LOGIN_BASE_URL: origin },
        ...{
          SECRET_KEY: secretKey,
          NODE_EXTRA_CA_CERTS: certificate,
        },
        ...{ PORT: String(port), DATA_DIR: dataDir, SCOPES_CONFIG_PATH: join(dataDir, 'scopes.yml') },
        ...(database ? { DATABASE_URL: database } : {}),
        ...{ WORKERS: String(workers ?? 1), SHUTDOWN_DELAY_SECONDS: '0' },
        ...{ UPSTREAM_ALLOWED_NETWORKS: 'private', LOG_LEVEL: 'error' },
        // Most paths of the upstream are no MCP server: what checks say of them is seeded.
        ...{ HEALTH_CHECK_INTERVAL_SECONDS: String(checkedEvery), MCP_PROXY_STREAMS_PER_IDENTITY: '1000000' },
      },
    },
  );
  await answers(port, '/healthz');
  const answer = await fetch(`http://localhost:${port}/json/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: readFileSync(new URL('call.json', import.meta.url)),
  });
  if (answer.status !== 200) throw new Error(`the first call: ${answer.status} ${await answer.text()}`);
  return { ...gateway, port, dataDir, person, startedIn: performance.now() - begun };
}

/** What was seeded, as `mcp-gateway move` carries it over. */
async function move(dataDir: string, url: string): Promise<void> {
  const from = await openDatabase(dataDir);
  const to = await openPostgres({
    ...{ url, directUrl: null, ca: null, client: null, passwordFile: null, poolSize: 2 },
  });
  await moveRows(from.db, to.db);
  await Promise.all([from.close(), to.close()]);
}

function scopeFile(count: number): string {
  const filler = Array.from({ length: count }, (_, at) => `filler-${at}`);
  const half = Array.from({ length: 500 }, (_, at) => `tool_${at * 2}`).join(', ');
  const some = Array.from({ length: 20 }, (_, at) => `tool_${at * 2}`).join(', ');
  return [
    'UI-Scopes:',
    '  bench-all: { list_service: [all], list_tools: [all] }',
    'group_mappings:',
    `  ${groups.all}: [bench-all, ${filler.slice(0, 20).join(', ')}]`,
    `  ${groups.some}: [bench-some]`,
    'bench-all:',
    '  - { server: "*", methods: [all], tools: [all] }',
    'bench-some:',
    `  - { server: "list", methods: [tools/list, tools/call], tools: [${some}] }`,
    `  - { server: "thousand", methods: [tools/list, tools/call], tools: [${half}] }`,
    ...filler.flatMap((name, at) => [
      `${name}:`,
      `  - { server: "server-${at}", methods: [tools/list, tools/call], tools: [one, two] }`,
    ]),
    '',
  ].join('\n');
}

/** The tool that the calls of the scenarios name. */
const calledTool = (JSON.parse(readFileSync(new URL('call.json', import.meta.url), 'utf8')) as Call).params
  .name;

interface Call {
  readonly params: { readonly name: string };
}

async function seed(
  dataDir: string,
  upstreamPort: number,
  {
    count,
    enabled,
    toolsEach,
    catalogue,
    issuer,
  }: Required<Pick<Size, 'toolsEach' | 'catalogue'>> & { count: number; enabled: boolean; issuer: string },
): Promise<BenchGateway['person']> {
  const { db, close } = await openDatabase(dataDir);
  const at = new Date().toISOString();
  const row = (name: string, url: string, enabled: number) => ({
    ...{ id: name, path: `/${name}`, is_enabled: enabled, health: null, tools: null, revision: 1 },
    ...{ registered_by: 'bench', registered_at: at, updated_at: at },
    definition: JSON.stringify(
      serverInput.parse({ server_name: name, path: `/${name}`, proxy_pass_url: url }),
    ),
  });
  const origin = `http://127.0.0.1:${upstreamPort}`;
  const rows = [
    ...paths.map((name) => row(name, `${origin}/${name}`, 1)),
    // Switched off, so that nobody checks their health, unless that is what is measured.
    ...Array.from({ length: count - paths.length }, (_, one) =>
      row(`server-${one}`, `${origin}/${enabled ? 'checked' : 'json'}`, enabled ? 1 : 0),
    ),
  ];
  const tool = (name: string) => ({
    name,
    description: 'Does the thing with the number 0, and says how it went when it is done.',
    inputSchema: { type: 'object', properties: { where: { type: 'string' }, many: { type: 'integer' } } },
  });
  const known = {
    member: [tool(calledTool)],
    thousand: Array.from({ length: 1000 }, (_, one) => tool(`tool_${one}`)),
  };
  const health = JSON.stringify({
    ...{ status: 'healthy', detail: null, checkedAt: at, serverVersion: null },
    protocolVersion: '2025-11-25',
  });
  const seen: Partial<Record<string, { health: string; tools: string }>> = Object.fromEntries(
    Object.entries(known).map(([name, tools]) => [
      name,
      { health, tools: JSON.stringify({ tools, fetchedAt: at }) },
    ]),
  );
  const others =
    toolsEach > 0 ? Array.from({ length: toolsEach }, (_, one) => tool(`tool_${one}`)) : undefined;
  const seenOthers = others && { health, tools: JSON.stringify({ tools: others, fetchedAt: at }) };
  const virtual = (slug: string, definition: object) => ({
    ...{ id: slug, path: `/virtual/${slug}`, owner: '', is_enabled: 1, revision: 1 },
    ...{ created_by: 'bench', created_at: at, updated_at: at },
    definition: JSON.stringify({ server_name: slug, path: `/virtual/${slug}`, ...definition }),
  });
  await db
    .insertInto('virtual_servers')
    .values([
      virtual('bench', { members: [{ backend_server_path: '/member', prefix: '' }] }),
      virtual('thousand', { members: [{ backend_server_path: '/thousand' }] }),
    ])
    .execute();
  for (let from = 0; from < rows.length; from += 500)
    await db
      .insertInto('servers')
      .values(rows.slice(from, from + 500).map((one) => ({ ...one, ...(seen[one.id] ?? seenOthers) })))
      .execute();
  const listed = catalogue.map(({ name, path, description, tags, tools }) => {
    const said = { server_name: name, path: `/${path}`, description, tags: [...tags] };
    const definition = serverInput.parse({ ...said, proxy_pass_url: `${origin}/json` });
    const seenTools = { health, tools: JSON.stringify({ tools, fetchedAt: at }) };
    return { ...row(path, `${origin}/json`, 0), definition: JSON.stringify(definition), ...seenTools };
  });
  for (let from = 0; from < listed.length; from += 100)
    await db
      .insertInto('servers')
      .values(listed.slice(from, from + 100))
      .execute();
  await arrangeCredentials(db, origin);
  const person = await tokensOfPerson(db, issuer);
  await close();
  return person;
}

/** One server gets the same credential for everybody, and another that of each person: the person has one there. */
async function arrangeCredentials(db: Db, origin: string): Promise<void> {
  const token = 'x'.repeat(40);
  const scheme = { auth_scheme: 'bearer', auth_credential: token } as const;
  const operated = {
    id: 'operated',
    definition: serverInput.parse({ server_name: 'o', path: '/operated', proxy_pass_url: origin }),
  };
  const credential = changedCredential(
    createSealer(keyringOf(secretKey).of('upstream-credential')),
    { ...operated, credential: null },
    credentialInput.parse(scheme),
    new Date().toISOString(),
  );
  const store = (id: string, column: 'credential' | 'egress', value: unknown) =>
    db
      .updateTable('servers')
      .set({ [column]: JSON.stringify(value) })
      .where('id', '=', id)
      .execute();
  await store('operated', 'credential', credential);
  const { client_secret: _, ...egress } = egressInput.parse({ egress_auth_mode: 'pat' });
  await store('connected', 'egress', { ...egress, client_secret: null });
  const owner = {
    provider: 'entra',
    subject: 'bench',
    serverId: 'connected',
    purpose: 'call',
    address: origin,
  };
  const given = { access: token, accessExpiresAt: null, refresh: null, scopes: [] };
  const about = { username: 'bench', mode: 'pat', issuer: null, account: null, audience: null } as const;
  const endsAt = Date.now() + 86_400_000;
  await storeConnection(
    db,
    createConnectionVault(keyringOf(secretKey)),
    { owner, endsAt, ...given, ...about },
    new Date().toISOString(),
  );
}

/** Two tokens of one person for the same server: what differs is who issued them. */
async function tokensOfPerson(db: Db, issuer: string): Promise<BenchGateway['person']> {
  // Read an hour from now, so that no group is asked for meanwhile.
  const [now, later] = [new Date(), new Date(Date.now() + 3_600_000).toISOString()];
  const owner = { subject: 'bench', username: 'bench', name: null, email: null, groups: [groups.all] };
  const about = { tenant: 'bench', sid: null, groupsComplete: true, logoutHint: null };
  await rememberPerson(db, 'entra', { ...owner, ...about }, later);
  const person = { ...owner, provider: 'entra' };
  const settings = readConfig({ SECRET_KEY: secretKey, EVALUATION: 'true' }, '.').tokens;
  const key = deriveKey(secretKey, 'personal-token');
  const minting = { db, key, settings, now: Date.now, freshPerson: async () => person };
  const { token: personal } = await mintToken(
    minting,
    { ...person, kind: 'person', method: 'session' } as unknown as Identity,
    { scopes: ['bench-all'], hours: 1, description: 'bench' },
  );
  const at = now.toISOString();
  const client = { id: 'bench', name: 'bench' };
  await storeClient(db, {
    ...{ id: client.id, kind: 'administrator', status: 'approved', createdBy: 'bench', at },
    metadata: {
      ...{ client_name: 'bench', redirect_uris: ['http://localhost'], token_endpoint_auth_method: 'none' },
      grant_types: ['authorization_code', 'refresh_token'],
    },
  });
  const [scopes, resource] = [['mcp:read', 'mcp:call'], `${issuer}/json/mcp`];
  const grant = { id: 'bench', owner: person, client, resource, scopes, at, via: 'consent' } as const;
  await storeGrant(db, { ...grant, expiresAt: later });
  const keys = createKeys({ db, now: Date.now, key: deriveKey(secretKey, 'oauth-key') });
  const [jwk] = (await keys.current()).privateJwks;
  if (!jwk?.kid) throw new Error('there is no key to sign with');
  const oauth = await new SignJWT({ client_id: client.id, scope: scopes.join(' '), gid: grant.id })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwk.kid })
    .setIssuer(issuer)
    .setAudience(resource)
    .setSubject('entra:bench')
    .setJti('bench')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(await importJWK(jwk, 'ES256'));
  return { personal, oauth };
}
