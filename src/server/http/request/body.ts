import type { Context } from 'hono';
import { Failure, invalidInput } from '../../failure/errors.ts';
import { createShares } from '../../identity/shares.ts';
import type { HttpEnv } from '../env.ts';
import { ClientLeft, createBodyRoom } from './body-room.ts';
import { JsonRefusal, JsonScan } from './json-scan.ts';

/** The largest body that the control plane takes, in bytes. */
const maxBody = 1024 * 1024;
/** No definition is nested as deep or has as many members as that; what is stored is read by everybody. */
const jsonLimits = { depth: 64, members: 50_000 };

/** The bodies of the control plane that are held at the moment, by who sends them: an identity, else an address. */
const room = createBodyRoom({ one: maxBody, perHolder: 4 * maxBody, total: 64 * maxBody, ms: 30_000 });
const shares = createShares();

/** The body as text (UTF-8); more than the limit is refused, whether announced or found while reading. */
export async function readText(c: Context<HttpEnv>): Promise<string> {
  const incoming = c.env?.incoming;
  if (incoming) {
    const address = { provider: '', subject: incoming.socket?.remoteAddress ?? '' };
    const share = shares.of(c.get('identity') ?? address);
    try {
      const { bytes, free } = await room.read(incoming, share);
      free();
      return bytes.toString('utf8');
    } catch (error) {
      if (!(error instanceof ClientLeft)) throw error;
      throw new Failure('bad_request', 'The request ended before its body was complete.');
    } finally {
      shares.settle(share);
    }
  }
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

/** What an endpoint takes: a form as well as JSON, and nothing at all. */
interface Taken {
  readonly form: boolean;
  readonly optional: boolean;
}

/** The body as JSON, and its text; anything else is a failure that says what. */
async function readJson(c: Context<HttpEnv>, optional: boolean): Promise<{ value: unknown; text: string }> {
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(c.req.header('content-type') ?? '');
  const refused = (): Failure => new Failure('unsupported_media_type', 'Send the body as application/json.');
  // Before it is read, unless there may be nothing to read.
  if (!isJson && !optional) throw refused();
  const text = await readText(c);
  if (optional && text === '') return { value: undefined, text };
  if (!isJson) throw refused();
  checkLimits(text);
  try {
    return { value: JSON.parse(text) as unknown, text };
  } catch (error) {
    throw new Failure('invalid_json', `The body is not valid JSON: ${(error as Error).message}`);
  }
}

/**
 * The body as JSON, or the fields of a form where `form` allows one, and its text; a field given twice is a failure. Nothing,
 * where it is `optional`, is undefined.
 */
export async function readBody(
  c: Context<HttpEnv>,
  { form, optional }: Taken,
): Promise<{ value: unknown; text: string }> {
  const type = c.req.header('content-type') ?? '';
  if (!form || !/^application\/x-www-form-urlencoded\b/i.test(type)) return readJson(c, optional);
  const fields = new Map<string, string>();
  const text = await readText(c);
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) throw new Failure('bad_request', `The form has the field '${name}' twice.`);
    fields.set(name, value);
  }
  return { value: Object.fromEntries(fields), text };
}

/** Refuses what would cost more to parse, to validate and to show than any real input does, before it is parsed. */
function checkLimits(text: string): void {
  const scan = new JsonScan(text, jsonLimits);
  try {
    scan.value(scan.space(0), 0);
  } catch (error) {
    // What is wrong with its grammar the parser says in better words.
    if (!(error instanceof JsonRefusal) || error.why === 'syntax') return;
    throw invalidInput([{ at: 'body', message: error.message }]);
  }
}

function tooLarge(): Failure {
  return new Failure('body_too_large', `The body is larger than ${maxBody} bytes.`);
}
