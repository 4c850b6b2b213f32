import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { EntraConfig } from '../../../config/config.ts';
import { asFailure, Failure } from '../../../failure/errors.ts';
import { trust, verifyProviderToken } from '../../../identity/bearer.ts';
import { entra } from '../../../identity/providers/entra.ts';
import type { Fetch } from '../../../net/outbound.ts';
import { appToken, askToken, type ClientProof, readClaims } from '../../../provider/entra-token.ts';
import { createGraph, type Graph, keyed } from '../../../provider/graph.ts';
import type { Pause } from '../../../provider/retry.ts';
import {
  type Application,
  application,
  graphAppId,
  graphScope,
  group,
  permissionGrant,
  type ServicePrincipal,
  servicePrincipal,
} from '../objects.ts';
import { gatewayProof, graphProof } from '../proof.ts';
import { askRedirects } from './redirects.ts';

/** When the gateway's client certificate ends (ISO 8601), as its file says; undefined where it uses none. */
async function certificateEndOf({
  certificate,
}: Pick<EntraConfig, 'certificate'>): Promise<string | Failure | undefined> {
  if (!certificate) return undefined;
  try {
    const { validTo } = new X509Certificate(await readFile(certificate.path));
    return new Date(validTo).toISOString();
  } catch (cause) {
    return new Failure('identity_unavailable', 'The file of ENTRA_CLIENT_CERTIFICATE_PATH cannot be read.', {
      cause,
    });
  }
}

/** What the doctor works with. */
export interface DoctorWorld {
  readonly config: EntraConfig;
  /** The Object IDs that give access here, each with where it is mapped (`ENTRA_GROUP_ADMIN_ID`, `scopes.yml`). */
  readonly mapped: ReadonlyMap<string, string>;
  /** What scopes.yml maps that is no Object ID. */
  readonly names?: readonly string[];
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly pause: Pause;
  readonly newId: () => string;
  /** How the gateway authenticates, where it is not with ENTRA_CLIENT_SECRET. */
  readonly proof?: ClientProof;
}

/** Something that was asked: the answer, or why there is none; undefined when it made no sense to ask. */
export type Told<T> = T | Failure | undefined;

/** A mapped group: undefined details when the directory has none of that id. */
export interface MappedGroup {
  readonly id: string;
  readonly mappedBy: string;
  readonly found: z.output<typeof group> | undefined;
  readonly hasMembers: boolean;
}

/** Everything that the checks judge; they ask nothing themselves. */
export interface Facts {
  readonly config: EntraConfig;
  readonly mapped: ReadonlyMap<string, string>;
  readonly names: readonly string[];
  /** Milliseconds since the epoch, here and (from the Date header) at Microsoft. */
  readonly now: number;
  readonly theirNow: number | undefined;
  readonly issuers: Told<{ v1: string; v2: string }>;
  readonly signingKeys: Told<number>;
  /** When the client certificate ends, ISO 8601. */
  readonly certificateEnd: Told<string>;
  /** True when Entra accepts what the gateway proves itself with. */
  readonly accepted: Told<true>;
  /** The application permissions in the token for Graph, of ENTRA_GRAPH_CLIENT_ID where that is set. */
  readonly roles: Told<readonly string[]>;
  readonly application: Told<Application>;
  /** Which addresses a sign-in can come back to; asked where the registration cannot be read. */
  readonly redirects: Told<ReadonlyMap<string, boolean>>;
  readonly principal: Told<ServicePrincipal>;
  readonly graphPrincipal: Told<ServicePrincipal>;
  /** Scopes of Graph that everybody's sign-in is consented to. */
  readonly consented: Told<readonly string[]>;
  readonly groups: Told<readonly MappedGroup[]>;
  /** True when an app-only token for the gateway's own API passed the gateway's own checks. */
  readonly agentToken: Told<true>;
}

/** Asks Entra ID and Graph for everything; never throws. */
export async function gatherFacts(world: DoctorWorld): Promise<Facts> {
  const { config, mapped, names = [], now } = world;
  const { discovery, theirNow } = await discover(world);
  const certificateEnd = await certificateEndOf(config);
  const facts = { config, mapped, names, now: now(), theirNow, issuers: discovery, certificateEnd };
  const untold = { accepted: undefined, signingKeys: undefined, roles: undefined, agentToken: undefined };
  const nothing = { ...untold, ...noDirectory };
  if (discovery instanceof Failure) return { ...facts, ...nothing };
  const signingKeys = await told(() => countKeys(world, discovery.jwksUri));
  const proof = proofOf(world);
  const login = { ...config, tenant: config.tenantId, fetch: world.fetch, now };
  const token = appToken(login, graphProof(config, proof), graphScope);
  const roles = await told(async () => rolesOf(await token()));
  const accepted = config.graph
    ? await told(() => appToken(login, proof, graphScope)().then(() => true as const))
    : await told(async () => needed(roles));
  if (roles instanceof Failure) return { ...facts, ...nothing, signingKeys, accepted, roles };
  const graph = createGraph({ ...world, baseUrl: config.graphBaseUrl, token });
  const [directory, agentToken] = await Promise.all([
    askDirectory(graph, world),
    told(() => tryAgentToken(world, proof)),
  ]);
  const isHidden = directory.application instanceof Failure;
  const redirects = isHidden ? await told(() => askRedirects(world)) : undefined;
  return { ...facts, signingKeys, accepted, roles, agentToken, ...directory, redirects };
}

/** How the gateway proves itself: as the world says, else as it does at sign-in. */
function proofOf({ config, proof }: DoctorWorld): ClientProof {
  return proof ?? gatewayProof(config);
}

const noDirectory = {
  application: undefined,
  redirects: undefined,
  principal: undefined,
  graphPrincipal: undefined,
  consented: undefined,
  groups: undefined,
};

async function told<T>(ask: () => Promise<T>): Promise<T | Failure> {
  try {
    return await ask();
  } catch (error) {
    return asFailure(error);
  }
}

function needed(roles: Told<unknown>): true {
  if (roles instanceof Failure) throw roles;
  return true;
}

const document = z.object({ issuer: z.string(), jwks_uri: z.url() });

type Discovery = { v1: string; v2: string; jwksUri: string };

async function discover(
  world: DoctorWorld,
): Promise<{ discovery: Discovery | Failure; theirNow: number | undefined }> {
  let theirNow: number | undefined;
  const ask = async (version: string) => {
    const { loginBaseUrl, tenantId } = world.config;
    const answer = await world.fetch(
      `${loginBaseUrl}/${tenantId}${version}/.well-known/openid-configuration`,
      { headers: { accept: 'application/json' } },
    );
    const date = Date.parse(answer.headers.get('date') ?? '');
    theirNow = Number.isNaN(date) ? undefined : date;
    const body: unknown = await answer.json();
    if (answer.ok) return document.parse(body);
    const said = z.object({ error_description: z.string() }).safeParse(body);
    throw new Failure(
      'directory_denied',
      said.success ? said.data.error_description : `status ${answer.status}`,
    );
  };
  const discovery = await told(async () => {
    const [v2, v1] = [await ask('/v2.0'), await ask('')];
    return { v2: v2.issuer, v1: v1.issuer, jwksUri: v2.jwks_uri };
  });
  return { discovery, theirNow };
}

async function countKeys(world: DoctorWorld, url: string): Promise<number> {
  const answer = await world.fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Failure('identity_unavailable', `The key set returned ${answer.status}.`);
  const { keys } = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(await answer.json());
  return keys.filter(({ kty }) => kty === 'RSA').length;
}

function rolesOf(token: string): readonly string[] {
  const { roles } = readClaims(token);
  return Array.isArray(roles) ? roles.map(String) : [];
}

async function askDirectory(graph: Graph, { config, mapped }: DoctorWorld) {
  const read = { permission: 'Application.Read.All (application)' };
  const named = (set: string, appId: string) => keyed(set, 'appId', appId);
  const [own, principal, graphPrincipal, groups] = await Promise.all([
    told(() => graph.get(named('applications', config.clientId), application, read)),
    told(() => graph.get(named('servicePrincipals', config.clientId), servicePrincipal, read)),
    told(() => graph.get(named('servicePrincipals', graphAppId), servicePrincipal, read)),
    told(() => askGroups(graph, mapped)),
  ]);
  const known = !(principal instanceof Failure) && !(graphPrincipal instanceof Failure);
  const consented = known ? await told(() => askConsent(graph, principal.id, graphPrincipal.id)) : undefined;
  return { application: own, principal, graphPrincipal, groups, consented };
}

async function askConsent(graph: Graph, clientId: string, resourceId: string): Promise<string[]> {
  const grants = await graph.list(`/servicePrincipals/${clientId}/oauth2PermissionGrants`, permissionGrant, {
    permission: 'Directory.Read.All (application)',
  });
  return grants
    .filter((grant) => grant.consentType === 'AllPrincipals' && grant.resourceId === resourceId)
    .flatMap(({ scope }) => scope.split(' '))
    .filter(Boolean);
}

async function askGroups(graph: Graph, mapped: ReadonlyMap<string, string>): Promise<MappedGroup[]> {
  const entries = [...mapped];
  const answers = await graph.batch(
    entries.flatMap(([id]) => [
      { path: `/groups/${id}?$select=id,displayName,securityEnabled` },
      { path: `/groups/${id}/members?$top=1&$select=id` },
    ]),
  );
  return entries.map(([id, mappedBy], index) => {
    const [one, members] = [answers[index * 2], answers[index * 2 + 1]];
    if (one?.status === 403)
      throw new Failure('directory_denied', 'The permission GroupMember.Read.All (application) is missing.');
    const list = z.object({ value: z.array(z.unknown()) }).safeParse(members?.body);
    return {
      ...{ id, mappedBy },
      found: one?.status === 200 ? group.parse(one.body) : undefined,
      hasMembers: list.success && list.data.value.length > 0,
    };
  });
}

/** An agent's way from end to end, with the gateway itself as the agent. */
async function tryAgentToken(world: DoctorWorld, proof: ClientProof): Promise<true> {
  const { config, fetch, now } = world;
  const scope = `${config.applicationIdUri ?? `api://${config.clientId}`}/.default`;
  const form = { grant_type: 'client_credentials', scope, ...(await proof()) };
  const { access_token } = await askToken({ ...config, tenant: config.tenantId, fetch }, form);
  const provider = entra(config);
  const { claims, header } = await verifyProviderToken(access_token, [trust(provider, fetch, now)], now);
  provider.bearer?.(claims, header);
  return true;
}
