import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import { type ClientAuth, ClientSecretPost, clockSkew } from 'openid-client';
import type { ManagedIdentity } from '../config/config-entra.ts';
import { Failure } from '../failure/errors.ts';
import { exchangeAudience, managedIdentityToken } from './managed-identity.ts';

/** How an application proves at Entra ID that it is itself: one of the four. */
export interface EntraCredential {
  readonly clientSecret: string;
  /** PEM files; the key may be in the certificate's file. */
  readonly certificate?: { readonly path: string; readonly keyPath: string };
  /** A file with a token of a trusted issuer (workload identity federation). */
  readonly federatedTokenFile?: string;
  readonly managedIdentity?: ManagedIdentity;
  /** Tells the cloud, and with it the audience of a managed identity's token. */
  readonly loginBaseUrl?: string;
}

/** How long a signed assertion is valid, in seconds. */
const assertionLasts = 300;

/** The credential as openid-client uses it; files are read at each use, so that they can be renewed without a restart. */
export function clientAuthOf(credential: EntraCredential): ClientAuth {
  const { clientSecret, certificate, federatedTokenFile, managedIdentity, loginBaseUrl } = credential;
  if (certificate)
    return byAssertion((clientId, audience, now) => signAssertion(certificate, clientId, audience, now));
  if (federatedTokenFile) return byAssertion(async () => (await textOf(federatedTokenFile)).trim());
  if (managedIdentity)
    return byAssertion(managedIdentityToken(managedIdentity, exchangeAudience(loginBaseUrl)));
  return ClientSecretPost(clientSecret);
}

/** RFC 7523, section 2.2. The library awaits what its type does not promise. */
function byAssertion(make: (clientId: string, audience: string, now: number) => Promise<string>): ClientAuth {
  return async (server, client, body) => {
    const now = Math.floor(Date.now() / 1000) + Number(client[clockSkew] ?? 0);
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', await make(client.client_id, server.token_endpoint ?? '', now));
  };
}

/** As Entra ID asks for: PS256, the certificate named by its SHA-256 thumbprint, the token endpoint as audience. */
async function signAssertion(
  files: { readonly path: string; readonly keyPath: string },
  clientId: string,
  audience: string,
  now: number,
): Promise<string> {
  const [certificate, key] = await Promise.all([textOf(files.path), textOf(files.keyPath)]);
  const thumbprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
  return new SignJWT()
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(randomUUID())
    .setNotBefore(now)
    .setIssuedAt(now)
    .setExpirationTime(now + assertionLasts)
    .sign(createPrivateKey(key));
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure(
      'identity_unavailable',
      "The gateway's own credential cannot be read; the log has the details.",
      { cause },
    );
  }
}
