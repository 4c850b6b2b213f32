import { z } from 'zod';

/** How much a finding matters: `ok`, `warn` (works, but not well or not for long), `fail` (does not work). */
const findingLevel = z.enum(['ok', 'warn', 'fail']);

/** One thing that the doctor looked at. */
export const finding = z.object({
  /** Stable, such as `secret-expiry`. */
  id: z.string(),
  /** The heading it stands under. */
  group: z.string(),
  level: findingLevel,
  /** What is the case, in one sentence. */
  what: z.string(),
  /** Why it matters. */
  why: z.string(),
  /** What to do, by hand in the portal or with a command; only where something is to be done. */
  remedy: z.object({ portal: z.string(), command: z.string() }).optional(),
});

/** One thing that the doctor looked at. */
export type Finding = z.output<typeof finding>;

/** A credential of the gateway that ends on a day that is known. */
export const endingCredential = z.object({
  kind: z.enum(['secret', 'certificate']),
  expires_at: z.string(),
});

/** A credential of the gateway that ends on a day that is known. */
export type EndingCredential = z.output<typeof endingCredential>;

/** Everything that the doctor found; `healthy` when nothing fails. */
export const diagnosis = z.object({
  healthy: z.boolean(),
  findings: z.array(finding),
  /** The gateway's own credentials, as far as their end is known. */
  credentials: z.array(endingCredential),
});

/** Everything that the doctor found. */
export type Diagnosis = z.output<typeof diagnosis>;
