import { plainText } from '../../contract/values/plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { misuse } from '../trouble.ts';

/** Asks on standard error and reads one line; only `yes` is yes. Without a person to ask it is a misuse. */
export async function confirm(
  question: string,
  { stdin, stderr }: Terminal,
  otherwise = 'Say --force to go ahead.',
): Promise<boolean> {
  if (!stdin.isTTY) throw misuse('There is nobody to ask: standard input is not a terminal.', otherwise);
  stderr.write(`${plainText(question)} (yes/no): `);
  return (await firstLine(stdin)).trim() === 'yes';
}

/** The first line of a stream, without its end; the rest stays unread. */
export async function firstLine(stream: Terminal['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (text.includes('\n')) break;
  }
  return (text.split('\n')[0] ?? '').replace(/\r$/, '');
}

/** All of a stream as text. */
export async function allOf(stream: Terminal['stdin']): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks).toString('utf8');
}
