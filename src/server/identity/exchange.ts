import * as oidc from 'openid-client';
import { withLease } from '../db/lease.ts';
import type { Db } from '../db/tables.ts';
import { Failure } from '../failure/errors.ts';
import { type OidcClients, providerErrorOf } from '../provider/oidc.ts';
import { clientOf, type Provider } from '../provider/provider.ts';
import type { Identity } from './identity.ts';
import { type SealingKeys, seal, unseal } from './keys.ts';
import { findPerson, renewPerson } from './people.ts';
import type { Owner } from './session-rows.ts';

/** What exchanges work with. */
export interface ExchangeWorld {
  readonly db: Db;
  readonly clients: OidcClients;
  readonly providers: readonly Provider[];
  /** Encrypts refresh tokens. */
  readonly key: Buffer | SealingKeys;
}

/** What a person's sign-in is exchanged for. */
export interface ExchangeFor {
  readonly scopes: readonly string[];
  /** The `audience` or `resource` that is asked for (RFC 8693); nothing for Entra, where scopes name it. */
  readonly audience: Readonly<Record<string, string | undefined>>;
}

/** A token of a person for another service. */
export interface Exchanged {
  readonly access: string;
  /** Seconds; undefined when it is not said. */
  readonly expiresIn: number | undefined;
  readonly scopes: readonly string[];
}

/** Whose token it is to be: a person's, or the gateway's own where it acts for nobody. */
export type Exchanging = Owner & Partial<Pick<Identity, 'kind'>>;

const onBehalf = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * Exchanges a person's sign-in for a token of another service: from the refresh token kept at sign-in comes a token for the
 * gateway, and that is exchanged on behalf of the person (Entra), or by RFC 8693. Fails with `connection_needed` where the
 * person has to sign in again, `connection_refused` where the provider allows no such exchange.
 */
export function createExchange(
  world: ExchangeWorld,
): (owner: Exchanging, wanted: ExchangeFor) => Promise<Exchanged> {
  return async (owner, wanted) => {
    if (owner.kind === 'agent') return appOnly(world, wanted);
    const provider = world.providers.find(({ name }) => name === owner.provider);
    if (!provider) throw signInAgain('Your identity provider is not set up here any more');
    const configuration = await world.clients(clientOf(provider));
    const subjectToken = await ownToken(world, configuration, provider, owner);
    const scope = wanted.scopes.join(' ');
    const isEntra = provider.exchangesBy === 'on_behalf_of';
    const parameters = isEntra
      ? { assertion: subjectToken, requested_token_use: 'on_behalf_of', scope }
      : {
          ...{ subject_token: subjectToken, subject_token_type: accessToken },
          requested_token_type: accessToken,
          ...wanted.audience,
          ...(scope === '' ? {} : { scope }),
        };
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) asked.set(name, value);
    try {
      const answer = await oidc.genericGrantRequest(configuration, isEntra ? onBehalf : tokenExchange, asked);
      const scopes = answer.scope?.split(' ').filter(Boolean) ?? wanted.scopes;
      return { access: answer.access_token, expiresIn: answer.expires_in, scopes };
    } catch (error) {
      throw refusalIn(error);
    }
  };
}

/** A token of the gateway's own client (client credentials): of the one provider that exchanges for servers. */
async function appOnly({ clients, providers }: ExchangeWorld, wanted: ExchangeFor): Promise<Exchanged> {
  const provider = providers.find(({ exchangesBy }) => exchangesBy === 'on_behalf_of') ?? providers[0];
  if (!provider || (providers.length > 1 && provider.exchangesBy === undefined))
    throw new Failure(
      'connection_refused',
      'With several identity providers the gateway cannot determine whose application it is; read the tools of the server in another way (mcp-gateway connection configure --discovery).',
    );
  const isEntra = provider.exchangesBy === 'on_behalf_of';
  // Entra gives applications all that they were consented to, and takes nothing else (AADSTS1002012).
  const scopes = isEntra
    ? wanted.scopes.slice(0, 1).map((one) => `${one.replace(/\/[^/]*$/, '')}/.default`)
    : wanted.scopes;
  const asked: Record<string, string> = scopes.length > 0 ? { scope: scopes.join(' ') } : {};
  if (!isEntra)
    for (const [name, value] of Object.entries(wanted.audience)) if (value !== undefined) asked[name] = value;
  try {
    const answer = await oidc.clientCredentialsGrant(await clients(clientOf(provider)), asked);
    const granted = answer.scope?.split(' ').filter(Boolean) ?? scopes;
    return { access: answer.access_token, expiresIn: answer.expires_in, scopes: granted };
  } catch (error) {
    throw refusalIn(error);
  }
}

/** A token of the person whose audience is the gateway; a refresh token that rotates is redeemed by one process at a time. */
async function ownToken(
  { db, key }: ExchangeWorld,
  configuration: oidc.Configuration,
  provider: Provider,
  owner: Owner,
): Promise<string> {
  return withLease(db, `refresh of ${JSON.stringify([owner.provider, owner.subject])}`, async () => {
    const person = await findPerson(db, owner.provider, owner.subject);
    if (!person || person.refusedBecause || !person.refreshSealed)
      throw signInAgain('Nothing is kept of your sign-in that could be exchanged');
    let refresh: string;
    try {
      refresh = unseal(key, person.refreshSealed);
    } catch {
      throw signInAgain('Your sign-in was stored under another key');
    }
    const scope =
      provider.exchangesBy === 'on_behalf_of'
        ? // Entra takes a request for itself by the client's id alone (AADSTS90009).
          `openid offline_access ${provider.clientId}/.default`
        : undefined;
    try {
      const answer = await oidc.refreshTokenGrant(configuration, refresh, scope ? { scope } : {});
      if (answer.refresh_token && answer.refresh_token !== refresh)
        await renewPerson(
          db,
          person,
          { groups: person.known.groups },
          new Date(person.groupsReadAt).toISOString(),
          seal(key, answer.refresh_token),
        );
      return answer.access_token;
    } catch (error) {
      throw refusalIn(error);
    }
  });
}

function refusalIn(error: unknown): Failure {
  const said = providerErrorOf(error);
  if (!said)
    return new Failure(
      'connection_unavailable',
      'The identity provider is not available at the moment; try again soon.',
      { cause: error },
    );
  const asksPerson = ['invalid_grant', 'interaction_required', 'login_required', 'consent_required'];
  if (asksPerson.includes(said.error) || said.claims)
    return signInAgain(
      `The identity provider wants something of you first (${said.description.slice(0, 200)})`,
      error,
    );
  return new Failure(
    'connection_refused',
    `The identity provider does not exchange your sign-in (${said.error}: ${said.description.slice(0, 200)}); an administrator has to allow it there, or change the server (mcp-gateway connection configure).`,
    { cause: error },
  );
}

function signInAgain(because: string, cause?: unknown): Failure {
  return new Failure(
    'connection_needed',
    `${because}: sign in to the gateway in a browser again, then try again.`,
    { cause },
  );
}
