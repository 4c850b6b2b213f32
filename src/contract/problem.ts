import { z } from 'zod';

/** An error answer of the API: RFC 9457 problem details, with a stable `code` and the `correlation_id` to look up in the log. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  correlation_id: z.string().optional(),
  /** Faults of the input, one each: where (`body.path`) and what. */
  errors: z.array(z.object({ at: z.string(), message: z.string() })).optional(),
});

/** The JSON body of an error answer (`application/problem+json`). */
export type Problem = z.infer<typeof problem>;
