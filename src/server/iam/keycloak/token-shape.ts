import { z } from 'zod';
import { Failure } from '../../failure/errors.ts';
import {
  audienceMapper,
  clientScope,
  groupsMapper,
  isAudience,
  isGroups,
  mapper,
  namesAudience,
} from './mappers.ts';
import type { RealmApi } from './realm-api.ts';

/** What is read again after this many milliseconds. */
const maxAge = 60_000;

const client = z.looseObject({
  id: z.string(),
  clientId: z.string(),
  protocolMappers: z.array(mapper).nullish(),
  defaultClientScopes: z.array(z.string()).nullish(),
});
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
      `The realm has no client '${wanted.clientId}' (KEYCLOAK_CLIENT_ID), so the gateway cannot determine what tokens contain.`,
    );
  const scopes = found.defaultClientScopes ?? [];
  const known = await api.get('/client-scopes', z.array(clientScope), read);
  const ofScopes = known
    .filter(({ name }) => scopes.includes(name))
    .flatMap(({ protocolMappers }) => protocolMappers ?? []);
  const own = (found.protocolMappers ?? []).filter((one) => isGroups(one) || isAudience(one));
  const [groups] = [...own, ...ofScopes].filter(isGroups);
  const hasAudience = [...own, ...ofScopes].some((one) => namesAudience(one, wanted.audience));
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
