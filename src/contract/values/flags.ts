import { z } from 'zod';

/** Yes or no: a boolean in JSON, and a text in a form, in any case, as programs in several languages write it (`True`, `1`, `on`). */
export const flag = z.union([z.boolean(), z.stringbool()]);

/** Yes or no in a query, in any case: Python writes `True`. */
export const queryFlag = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.enum(['true', 'false']));
