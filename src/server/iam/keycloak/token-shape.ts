import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { RealmApi } from './realm-api.ts';

/** What is read again after this many milliseconds. */
const maxAge = 60_000;

const mapper = z.looseObject({
  name: z.string(),
  protocol: z.string().nullish(),
  protocolMapper: z.string(),
  config: z.record(z.string(), z.string().nullish()).nullish(),
});
const client = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  protocolMappers: z.array(mapper).nullish(),
  defaultClientScopes: z.array(z.string()).nullish(),
});
const scope = z.looseObject({ name: z.string(), protocolMappers: z.array(mapper).nullish() });

type Mapper = z.output<typeof mapper>;

/** What the tokens of the gateway's own client say, which is what those of its agents have to say too. */
export interface TokenShape {
  readonly naming: 'path' | 'name';
  /** Client scopes for an agent. */
  readonly scopes: readonly string[];
  /** Mappers for an agent, besides those of the scopes. */
  readonly mappers: readonly object[];
}

/** The gateway's client, and what its tokens have to hold. */
export interface Wanted {
  readonly clientId: string;
  readonly audience: string;
  readonly groupsClaim: readonly string[];
}

/** Reads it from the realm, at most once a minute. */
export function tokenShapes(api: RealmApi, wanted: Wanted, now: () => number): () => Promise<TokenShape> {
  let kept: { shape: Promise<TokenShape>; until: number } | undefined;
  return () => {
    if (!kept || now() >= kept.until) {
      const shape = readShape(api, wanted);
      kept = { shape, until: now() + maxAge };
      shape.catch(() => {
        kept = undefined;
      });
    }
    return kept.shape;
  };
}

async function readShape(api: RealmApi, wanted: Wanted): Promise<TokenShape> {
  const read = { role: 'view-clients' };
  const [found] = await api.get('/clients', z.array(client), {
    ...read,
    query: { clientId: wanted.clientId },
  });
  if (!found)
    throw new Failure(
      'directory_refused',
      `The realm has no client '${wanted.clientId}' (KEYCLOAK_CLIENT_ID), so it is not known what tokens say.`,
    );
  const scopes = found.defaultClientScopes ?? [];
  const known = await api.get('/client-scopes', z.array(scope), read);
  const ofScopes = known
    .filter(({ name }) => scopes.includes(name))
    .flatMap(({ protocolMappers }) => protocolMappers ?? []);
  const own = (found.protocolMappers ?? []).filter((one) => isGroups(one) || isAudience(one));
  const [groups] = [...own, ...ofScopes].filter(isGroups);
  const hasAudience = [...own, ...ofScopes].some((one) => names(one, wanted.audience));
  return {
    naming: groups?.config?.['full.path'] === 'true' ? 'path' : 'name',
    scopes,
    mappers: [
      ...own.map(({ name, protocolMapper, config }) => ({
        ...{ name, protocolMapper, config, protocol: 'openid-connect' },
      })),
      ...(hasAudience ? [] : [audienceMapper(wanted)]),
      // One segment only: a path is where Keycloak puts roles, which come without a mapper.
      ...(groups || wanted.groupsClaim.length !== 1 ? [] : [groupsMapper(wanted.groupsClaim[0] ?? '')]),
    ],
  };
}

function isGroups({ protocolMapper }: Mapper): boolean {
  return protocolMapper === 'oidc-group-membership-mapper';
}

function isAudience({ protocolMapper }: Mapper): boolean {
  return protocolMapper === 'oidc-audience-mapper';
}

function names(one: Mapper, audience: string): boolean {
  const { config } = one;
  const named = [config?.['included.client.audience'], config?.['included.custom.audience']];
  return isAudience(one) && named.includes(audience) && config?.['access.token.claim'] !== 'false';
}

/** A mapper that names the gateway in `aud`. */
export function audienceMapper({ clientId, audience }: Pick<Wanted, 'clientId' | 'audience'>) {
  const kind = clientId === audience ? 'included.client.audience' : 'included.custom.audience';
  return {
    ...{ name: 'mcp-gateway audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
    config: { [kind]: audience, 'access.token.claim': 'true', 'id.token.claim': 'false' },
  };
}

/** A mapper that lists the groups by their own names. */
export function groupsMapper(claim: string) {
  const everywhere = {
    'access.token.claim': 'true',
    'id.token.claim': 'true',
    'userinfo.token.claim': 'true',
  };
  return {
    name: 'mcp-gateway groups',
    ...{ protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper' },
    config: { 'claim.name': claim.replaceAll('.', '\\.'), 'full.path': 'false', ...everywhere },
  };
}
