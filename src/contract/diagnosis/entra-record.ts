import { z } from 'zod';

/** A value's shape: JSON in which names and the words of the protocol stay, and every other value is a placeholder. */
const shape = z.json();

/** What Entra ID or Graph answered to one question. */
export const entraObservation = z.strictObject({
  /** Stable, such as `wrong-secret`. */
  id: z.string(),
  /** What was asked, in words. */
  asked: z.string(),
  status: z.number(),
  headers: z.record(z.string(), z.string()),
  /** Names of further headers. */
  otherHeaders: z.array(z.string()),
  body: shape,
  /** Header and claims of the access token in the body. */
  token: z.strictObject({ header: shape, claims: shape }).optional(),
});

/** What was seen of a tenant, without anything of whose it is. */
export const entraRecord = z.strictObject({
  kind: z.literal('entra-record'),
  version: z.literal(1),
  /** The day, ISO 8601. */
  date: z.string(),
  observations: z.array(entraObservation),
});

/** One answer. */
export type EntraObservation = z.output<typeof entraObservation>;

/** A record. */
export type EntraRecord = z.output<typeof entraRecord>;

/** How the emulator's answer to one question compares with a recorded one. */
export interface EntraComparison {
  readonly id: string;
  readonly asked: string;
  /** `strict`: not as the emulator usually answers, but as it does with --strict. `missing`: only one of them was asked. */
  readonly verdict: 'same' | 'strict' | 'different' | 'missing';
  /** A line each: where, what was recorded, what the emulator has. */
  readonly differences: readonly string[];
}
