import { type CryptoKey, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { Failure } from '../failure/errors.ts';
import type { Fetch } from '../net/outbound.ts';

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.url() });
const jwk = z.looseObject({
  kty: z.string(),
  kid: z.string().optional(),
  alg: z.string().optional(),
  use: z.string().optional(),
  crv: z.string().optional(),
});
const keySet = z.object({ keys: z.array(jwk).max(100) });

/** A signature algorithm that providers use and that proves the issuer: never `none`, never a shared secret. */
export type Algorithm = 'RS256' | 'ES256';

/** What an issuer is held to. */
export interface IssuerRules {
  /** The exact name that the discovery document has to have; absent: whatever it says. */
  readonly name?: string | undefined;
  readonly algorithms: readonly Algorithm[];
  /** The application whose own signing keys count as well (Entra ID, claims mapping): discovery with `?appid=` names them. */
  readonly appId?: string | undefined;
}

const hour = 3_600_000;
/** Keys older than this are asked for again in passing; the old ones serve meanwhile. */
const refreshAfter = hour;
/** When the key server is away, known keys serve this long. */
const keepFor = 24 * hour;
/** A token with an unknown key id may cause one fetch in this time, so that made-up ids cannot hammer the provider. */
const unknownKeyPause = 5 * 60_000;
/** After a failed fetch, callers get the failure for this long before the next try. */
const failurePause = 5_000;

/** A public key and the one algorithm that it verifies (RFC 8725, section 3.1). */
export interface SigningKey {
  readonly key: CryptoKey | Uint8Array;
  readonly algorithm: Algorithm;
}

/** One issuer's discovery document and signing keys, cached by the rules of Entra's key rollover. */
export class Issuer {
  readonly discoveryUrl: string;
  readonly rules: IssuerRules;
  readonly #send: Fetch;
  readonly #now: () => number;
  #document: Promise<z.infer<typeof discoveryDocument>> | undefined;
  #undiscoveredAt = Number.NEGATIVE_INFINITY;
  /** Until the first answer there is nothing to read anew. */
  #discoveredAt = Number.POSITIVE_INFINITY;
  #keys = new Map<string, SigningKey>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #unknownKeyFetchAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(discoveryUrl: string, send: Fetch, now: () => number, rules: IssuerRules) {
    this.discoveryUrl = discoveryUrl;
    this.rules = rules;
    this.#send = send;
    this.#now = now;
  }

  /** The issuer's exact name; throws `identity_unavailable` while it cannot be learnt. */
  async name(): Promise<string> {
    return this.rules.name ?? (await this.#discover()).issuer;
  }

  /** The key of that id; undefined when the issuer has none; throws `identity_unavailable` when it cannot tell. */
  async key(kid: string): Promise<SigningKey | undefined> {
    const age = this.#now() - this.#loadedAt;
    const known = age < keepFor ? this.#keys.get(kid) : undefined;
    if (known) {
      if (age > refreshAfter) this.#refresh().catch(() => {});
      return known;
    }
    const firstTime = this.#loadedAt === Number.NEGATIVE_INFINITY || age >= keepFor;
    if (!firstTime) {
      if (this.#now() - this.#unknownKeyFetchAt < unknownKeyPause && !this.#failing()) return undefined;
      this.#unknownKeyFetchAt = this.#now();
    }
    await this.#refresh();
    const found = this.#keys.get(kid);
    if (found || !this.rules.appId) return found;
    await this.#loadOwnKeys(this.rules.appId);
    return this.#keys.get(kid);
  }

  /** Keys that only this application's tokens are signed with; a failure says nothing of the others. */
  async #loadOwnKeys(appId: string): Promise<void> {
    try {
      const url = new URL(this.discoveryUrl);
      url.searchParams.set('appid', appId);
      const { issuer, jwks_uri } = discoveryDocument.parse(await this.#json(url.href));
      if (issuer !== (await this.name())) return;
      const own = await signingKeysIn(await this.#json(jwks_uri), this.rules.algorithms);
      this.#keys = new Map([...this.#keys, ...own]);
    } catch (error) {
      throw unavailable(error);
    }
  }

  #failing(): boolean {
    return this.#failedAt > this.#loadedAt;
  }

  #refresh(): Promise<void> {
    if (this.#now() - this.#failedAt < failurePause) return Promise.reject(unavailable(undefined));
    this.#pending ??= this.#load().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #load(): Promise<void> {
    try {
      const { jwks_uri } = await this.#discover();
      this.#keys = await signingKeysIn(await this.#json(jwks_uri), this.rules.algorithms);
      this.#loadedAt = this.#now();
    } catch (error) {
      this.#failedAt = this.#now();
      throw unavailable(error);
    }
  }

  #discover(): Promise<z.infer<typeof discoveryDocument>> {
    if (this.#now() - this.#undiscoveredAt < failurePause) return Promise.reject(unavailable(undefined));
    // What a provider says of itself may change: it is read anew with the keys, once a day.
    if (this.#now() - this.#discoveredAt >= keepFor) this.#document = undefined;
    this.#document ??= this.#json(this.discoveryUrl)
      .then((body) => {
        const document = discoveryDocument.parse(body);
        requireIssuer(document.issuer, this.rules.name);
        this.#discoveredAt = this.#now();
        return document;
      })
      .catch((error: unknown) => {
        this.#document = undefined;
        this.#undiscoveredAt = this.#now();
        throw unavailable(error);
      });
    return this.#document;
  }

  async #json(url: string): Promise<unknown> {
    const response = await this.#send(url, { headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.json();
  }
}

/** The keys of a key set (RFC 7517) that verify with these algorithms, by their id; throws for what is no key set. */
export async function signingKeysIn(
  body: unknown,
  algorithms: readonly Algorithm[],
): Promise<Map<string, SigningKey>> {
  const found = new Map<string, SigningKey>();
  for (const key of keySet.parse(body).keys) {
    const algorithm = algorithmOf(key);
    if (key.kid && algorithm && algorithms.includes(algorithm))
      found.set(key.kid, { key: await importJWK(key as JWK, algorithm), algorithm });
  }
  return found;
}

/** Discovery 1.0, section 4.3: the document's issuer is exactly the one that was asked for, or it is somebody else's. */
export function requireIssuer(found: string, expected: string | undefined): void {
  if (expected === undefined || found === expected) return;
  throw new Failure(
    'identity_unavailable',
    `The identity provider calls itself ${found.slice(0, 200)}, and the settings say ${expected}; make the settings say the same.`,
  );
}

/** Entra's keys name no `alg`, so the kind of key decides; encryption keys and other algorithms are left out. */
function algorithmOf({ kty, alg, use, crv }: z.output<typeof jwk>): Algorithm | undefined {
  if (use !== undefined && use !== 'sig') return undefined;
  const found = kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
  return alg === undefined || alg === found ? found : undefined;
}

function unavailable(cause: unknown): Failure {
  // What is known better is said as it is: that this is an emulator, say.
  if (cause instanceof Failure && cause.code === 'identity_unavailable') return cause;
  return new Failure(
    'identity_unavailable',
    "The identity provider's keys cannot be read right now; try again soon.",
    {
      cause,
    },
  );
}
