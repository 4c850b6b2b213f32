import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context as ProtocolContext } from 'oidc-provider';
import type { AuditEvent } from '../audit/event.ts';
import type { OauthConfig } from '../config/config-oauth.ts';
import type { Db } from '../db/tables.ts';
import type { FreshPerson } from '../identity/fresh-people.ts';
import type { Identify } from '../identity/identity.ts';
import { deriveKey, type SealingKeys } from '../identity/keys.ts';
import type { Fetch } from '../net/outbound.ts';
import { findClient, grantTypes, type StoredClient, storeClient } from './clients/clients.ts';
import { createDocuments, isDocumentUrl } from './clients/documents.ts';
import type { ConsentWorld } from './consent/consent.ts';
import { assertionGrant, type TrustedIssuer } from './delegation/assertion.ts';
import { exchangeGrant } from './delegation/exchange.ts';
import { type OauthEndpoints, oauthEndpoints, rebuilding } from './handle.ts';
import { commandLineClient } from './metadata.ts';
import { createProvider, type ExtraGrant } from './provider.ts';
import { livingClaims, type VerifyWorld } from './verify.ts';

/** What the authorization server is built from. */
export interface AuthorizationServerWorld
  extends Pick<ConsentWorld, 'identifySession' | 'providers' | 'titleOf' | 'placesOf' | 'record'> {
  readonly db: Db;
  /** The public origin: the issuer, character by character. */
  readonly issuer: string;
  readonly secretKey: string;
  /** Seal what the authorization server stores. */
  readonly artifactKeys: SealingKeys;
  readonly now: () => number;
  readonly log: { info(facts: object, text: string): void; error(facts: object, text: string): void };
  readonly settings: OauthConfig;
  readonly verify: VerifyWorld;
  readonly freshPerson: FreshPerson;
  /** Who a token is, for token exchange. */
  readonly identify: Identify;
  readonly issuers: readonly TrustedIssuer[];
  /** The way to documents and keys of clients: public addresses only, little and soon. */
  readonly fetch: Fetch;
  readonly allowedHosts: ReadonlySet<string>;
  clientIp(req: IncomingMessage): string | null;
  mayStart(address: string | null): Promise<void>;
  /** Records what was decided where no page is behind it. */
  recordEvent(event: AuditEvent): void;
}

/** The authorization server: what programs talk to, and what its pages for people need. */
export interface AuthorizationServer {
  readonly endpoints: OauthEndpoints;
  readonly consent: ConsentWorld;
}

/** Builds the authorization server; nothing is read or sent until the first request. */
export function createAuthorizationServer(world: AuthorizationServerWorld): AuthorizationServer {
  const { db, issuer, now, log, settings, secretKey, freshPerson, fetch, verify } = world;
  const secure = issuer.startsWith('https:');
  const documents = createDocuments({ db, fetch, now, log, mode: settings.documents });
  const at = (): string => new Date(now()).toISOString();
  const anyClient = async (id: string): Promise<StoredClient | undefined> => {
    if (isDocumentUrl(id)) return documents(id);
    return (await findClient(db, id, at())) ?? (id === commandLineClient ? ownClient(db, at()) : undefined);
  };
  const usable = async (id: string): Promise<StoredClient | undefined> => {
    const client = await anyClient(id);
    return client?.status === 'blocked' ? undefined : client;
  };
  const delegated = {
    ...{ db, issuer, now, freshPerson, identify: world.identify, issuers: world.issuers },
    accessSeconds: settings.accessMinutes * 60,
    record: (event: Omit<AuditEvent, 'correlationId' | 'clientIp'>, ctx: ProtocolContext): void =>
      world.recordEvent({ ...event, correlationId: randomUUID(), clientIp: world.clientIp(ctx.req) }),
  };
  const grants: ExtraGrant[] = [
    {
      name: grantTypes.exchange,
      handle: exchangeGrant(delegated),
      parameters: [
        ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'],
        ...['requested_token_type', 'resource', 'audience', 'scope'],
      ],
    },
  ];
  if (world.issuers.length > 0)
    grants.push({
      name: grantTypes.jwtBearer,
      handle: assertionGrant(delegated),
      parameters: ['assertion', 'resource', 'scope'],
    });
  const build = async () => {
    const { privateJwks } = await verify.keys.current();
    return createProvider(
      {
        ...{ db, issuer, now, log, freshPerson, fetch, grants, findClient: usable },
        key: world.artifactKeys,
        cookieKey: deriveKey(secretKey, 'oauth-consent').toString('base64url'),
        living: (token: string) => livingClaims(verify, token),
        lifetimes: {
          accessSeconds: settings.accessMinutes * 60,
          grantSeconds: settings.grantDays * 86_400,
        },
      },
      privateJwks,
    );
  };
  const provider = rebuilding(verify.keys.current, build);
  const { identifySession, providers, titleOf, placesOf, record } = world;
  return {
    consent: {
      ...{ db, issuer, now, provider, secure, findClient: anyClient, days: settings.grantDays },
      ...{ identifySession, providers, titleOf, placesOf, record },
      csrfKey: deriveKey(secretKey, 'oauth-consent'),
    },
    endpoints: oauthEndpoints({
      ...{ db, issuer, now, log, provider, secure, mode: settings.registration },
      registration: settings.registration !== 'off',
      documents: settings.documents !== 'off',
      assertions: world.issuers.length > 0,
      ...{ allowedHosts: world.allowedHosts, clientIp: world.clientIp, mayStart: world.mayStart },
    }),
  };
}

/** Known without anybody's doing; in the database like every other, so that administrators see and can block it. */
async function ownClient(db: Db, at: string): Promise<StoredClient | undefined> {
  const metadata = {
    client_name: 'mcp-gateway (command line)',
    redirect_uris: ['http://localhost', 'http://127.0.0.1'],
    grant_types: [grantTypes.code, grantTypes.refresh, grantTypes.device],
    token_endpoint_auth_method: 'none',
  } as const;
  const own = { id: commandLineClient, kind: 'administrator', alias: commandLineClient, metadata } as const;
  await storeClient(db, { ...own, status: 'approved', createdBy: 'the gateway', at });
  return findClient(db, commandLineClient, at);
}
