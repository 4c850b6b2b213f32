import { z } from 'zod';
import type { Db } from '../../db/tables.ts';
import { networkOf } from '../../http/request/client-ip.ts';
import { hashOf, newSecret } from '../../identity/keys.ts';
import { takeTurn } from '../rates.ts';
import { type ClientMetadata, clientName, grantTypes, storeClient, unusedFor } from './clients.ts';
import { faultOfRedirects } from './redirects.ts';

/** Registrations from one network, and from all, within an hour at most. */
const perHour = {
  address: { most: 60, withinMs: 3_600_000 },
  all: { most: 2000, withinMs: 3_600_000 },
};
/** Registrations that nobody has used yet, kept at most; beyond that the oldest go. */
const unusedKept = 5000;

/** What registering needs. */
export interface RegisterWorld {
  readonly db: Db;
  readonly now: () => number;
  /** `approval`: nobody can sign in from the client until an administrator approves it. */
  readonly mode: 'open' | 'approval' | 'off';
}

/** A refusal as RFC 7591, section 3.2.2 has it. */
export interface RegistrationError {
  readonly status: 400 | 403 | 429;
  readonly error:
    | 'invalid_redirect_uri'
    | 'invalid_client_metadata'
    | 'access_denied'
    | 'temporarily_unavailable';
  readonly error_description: string;
}

const shape = z.looseObject({
  client_name: clientName.optional(),
  redirect_uris: z.unknown(),
  grant_types: z.array(z.string()).max(20).optional(),
  response_types: z.array(z.string()).max(20).optional(),
  token_endpoint_auth_method: z.string().max(50).optional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({})).max(10) }).optional(),
  jwks_uri: z.url({ protocol: /^https$/ }).optional(),
});

/** What a client may register for itself; anything else is for administrators to give. */
const registrable: readonly string[] = [grantTypes.code, grantTypes.refresh, grantTypes.device];
const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;

/**
 * Registers a client (RFC 7591): the information response, or the refusal. A registration that nobody uses ends after a
 * day; a used one lives as long as somebody's grant of it.
 */
export async function registerClient(
  world: RegisterWorld,
  body: unknown,
  address: string | null,
): Promise<Record<string, unknown> | RegistrationError> {
  if (world.mode === 'off')
    return refused(
      403,
      'access_denied',
      'Clients cannot register themselves here; ask an administrator for a client id.',
    );
  const metadata = metadataOf(body);
  if ('error' in metadata) return metadata;
  const from = hashOf(`registration:${networkOf(address)}`);
  if (await isFlooded(world, from))
    return refused(
      429,
      'temporarily_unavailable',
      'Too many clients have been registered within the hour; try again later.',
    );
  const id = `client_${newSecret().slice(0, 24)}`;
  const needsSecret = metadata.token_endpoint_auth_method.startsWith('client_secret');
  const secret = needsSecret ? newSecret() : undefined;
  const at = new Date(world.now()).toISOString();
  await storeClient(world.db, {
    ...{ id, kind: 'registered', metadata, at, registeredFrom: from, createdBy: 'the client' },
    secretHash: secret ? hashOf(secret) : null,
    status: world.mode === 'approval' ? 'pending' : 'open',
    expiresAt: new Date(world.now() + unusedFor).toISOString(),
  });
  return {
    client_id: id,
    client_id_issued_at: Math.floor(world.now() / 1000),
    ...(secret ? { client_secret: secret, client_secret_expires_at: 0 } : {}),
    ...metadata,
    response_types: ['code'],
  };
}

function metadataOf(body: unknown): ClientMetadata | RegistrationError {
  const read = shape.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    return refused(400, 'invalid_client_metadata', `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
  }
  const fault = faultOfRedirects(read.data.redirect_uris);
  if (fault) return refused(400, 'invalid_redirect_uri', fault);
  const { jwks, jwks_uri, token_endpoint_auth_method: asked = 'client_secret_basic' } = read.data;
  const method = methods.find((known) => known === asked);
  if (!method)
    return refused(
      400,
      'invalid_client_metadata',
      `token_endpoint_auth_method must be one of: ${methods.join(', ')}.`,
    );
  if (method === 'private_key_jwt' && !jwks === !jwks_uri)
    return refused(400, 'invalid_client_metadata', 'private_key_jwt needs either jwks or jwks_uri.');
  const wanted = read.data.response_types;
  if (wanted && !wanted.includes('code'))
    return refused(400, 'invalid_client_metadata', "response_types must include 'code'.");
  return {
    client_name: read.data.client_name ?? 'a program without a name',
    redirect_uris: read.data.redirect_uris as string[],
    // Everybody gets refresh tokens; what is asked for beyond the list is left out, as RFC 7591, section 2 allows.
    grant_types: registrable.filter(
      (type) => type !== grantTypes.device || read.data.grant_types?.includes(type),
    ),
    token_endpoint_auth_method: method,
    ...(jwks && method === 'private_key_jwt' ? { jwks } : {}),
    ...(jwks_uri && method === 'private_key_jwt' ? { jwks_uri } : {}),
  };
}

/** Counts in the database, so that it holds for all replicas together; makes room for new ones. */
async function isFlooded({ db, now }: RegisterWorld, from: string): Promise<boolean> {
  await db
    .deleteFrom('oauth_clients')
    .where('kind', '=', 'registered')
    .where('expires_at', '<=', new Date(now()).toISOString())
    .where('status', '!=', 'blocked')
    .execute();
  // Whoever is refused for the address takes nothing of what there is for all.
  if (!(await takeTurn(db, ['registration', from], perHour.address, now()))) return true;
  if (!(await takeTurn(db, ['registration', 'of all'], perHour.all, now()))) return true;
  const registered = () =>
    db
      .selectFrom('oauth_clients')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('kind', '=', 'registered');
  const unused = await registered().where('last_used_at', 'is', null).executeTakeFirstOrThrow();
  if (Number(unused.count) >= unusedKept) {
    const oldest = db
      .selectFrom('oauth_clients')
      .select('client_id')
      .where('kind', '=', 'registered')
      .where('last_used_at', 'is', null)
      .where('status', '=', 'open')
      .orderBy('created_at')
      .limit(100);
    await db.deleteFrom('oauth_clients').where('client_id', 'in', oldest).execute();
  }
  return false;
}

function refused(
  status: RegistrationError['status'],
  error: RegistrationError['error'],
  error_description: string,
): RegistrationError {
  return { status, error, error_description };
}
