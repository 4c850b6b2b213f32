import { type CryptoKey, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Fetch } from '../outbound.ts';

const discoveryDocument = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional() })).max(100),
});

const hour = 3_600_000;
/** Keys older than this are asked for again in passing; the old ones serve meanwhile. */
const refreshAfter = hour;
/** When the key server is away, known keys serve this long. */
const keepFor = 24 * hour;
/** A token with an unknown key id may cause one fetch in this time, so that made-up ids cannot hammer the provider. */
const unknownKeyPause = 5 * 60_000;
/** After a failed fetch, callers get the failure for this long before the next try. */
const failurePause = 5_000;

/** One issuer's discovery document and signing keys, cached by the rules of Entra's key rollover. */
export class Issuer {
  readonly discoveryUrl: string;
  readonly #send: Fetch;
  readonly #now: () => number;
  #document: Promise<z.infer<typeof discoveryDocument>> | undefined;
  #undiscoveredAt = Number.NEGATIVE_INFINITY;
  #keys = new Map<string, CryptoKey | Uint8Array>();
  #sendedAt = Number.NEGATIVE_INFINITY;
  #unknownKeyFetchAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;

  constructor(discoveryUrl: string, send: Fetch, now: () => number) {
    this.discoveryUrl = discoveryUrl;
    this.#send = send;
    this.#now = now;
  }

  /** The issuer's exact name; throws `identity_unavailable` while it cannot be learnt. */
  async name(): Promise<string> {
    return (await this.#discover()).issuer;
  }

  /** The key of that id; undefined when the issuer has none; throws `identity_unavailable` when it cannot tell. */
  async key(kid: string): Promise<CryptoKey | Uint8Array | undefined> {
    const age = this.#now() - this.#sendedAt;
    const known = age < keepFor ? this.#keys.get(kid) : undefined;
    if (known) {
      if (age > refreshAfter) this.#refresh().catch(() => {});
      return known;
    }
    const firstTime = this.#sendedAt === Number.NEGATIVE_INFINITY || age >= keepFor;
    if (!firstTime) {
      if (this.#now() - this.#unknownKeyFetchAt < unknownKeyPause && !this.#failing()) return undefined;
      this.#unknownKeyFetchAt = this.#now();
    }
    await this.#refresh();
    return this.#keys.get(kid);
  }

  #failing(): boolean {
    return this.#failedAt > this.#sendedAt;
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
      const { keys } = keySet.parse(await this.#json(jwks_uri));
      const fresh = new Map<string, CryptoKey | Uint8Array>();
      // Entra's keys name no `alg`: only RS256 is ever accepted, so it is pinned here (RFC 8725, section 3.1).
      for (const key of keys)
        if (key.kty === 'RSA' && key.kid) fresh.set(key.kid, await importJWK(key as JWK, 'RS256'));
      this.#keys = fresh;
      this.#sendedAt = this.#now();
    } catch (error) {
      this.#failedAt = this.#now();
      throw unavailable(error);
    }
  }

  #discover(): Promise<z.infer<typeof discoveryDocument>> {
    if (this.#now() - this.#undiscoveredAt < failurePause) return Promise.reject(unavailable(undefined));
    this.#document ??= this.#json(this.discoveryUrl)
      .then((body) => discoveryDocument.parse(body))
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
