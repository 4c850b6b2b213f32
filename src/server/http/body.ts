import type { Context } from 'hono';
import { Failure } from '../failure/errors.ts';
import type { HttpEnv } from './env.ts';

/** The largest body that the control plane takes, in bytes. */
const maxBody = 1024 * 1024;

/** The body as text (UTF-8); more than the limit is refused, whether announced or found while reading. */
export async function readText(c: Context<HttpEnv>): Promise<string> {
  if (Number(c.req.header('content-length') ?? 0) > maxBody) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBody) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body as JSON, and its text; anything else is a failure that says what. */
export async function readJson(c: Context<HttpEnv>): Promise<{ value: unknown; text: string }> {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(type))
    throw new Failure('unsupported_media_type', 'Send the body as application/json.');
  const text = await readText(c);
  try {
    return { value: JSON.parse(text) as unknown, text };
  } catch (error) {
    throw new Failure('invalid_json', `The body is not valid JSON: ${(error as Error).message}`);
  }
}

/** The body as JSON, or the fields of a form where `form` allows one, and its text; a field given twice is a failure. */
export async function readBody(
  c: Context<HttpEnv>,
  form: boolean,
): Promise<{ value: unknown; text: string }> {
  const type = c.req.header('content-type') ?? '';
  if (!form || !/^application\/x-www-form-urlencoded\b/i.test(type)) return readJson(c);
  const fields = new Map<string, string>();
  const text = await readText(c);
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) throw new Failure('bad_request', `The form has the field '${name}' twice.`);
    fields.set(name, value);
  }
  return { value: Object.fromEntries(fields), text };
}

function tooLarge(): Failure {
  return new Failure('body_too_large', `The body is larger than ${maxBody} bytes.`);
}
