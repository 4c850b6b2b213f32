import { plainText } from '../../contract/values/plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { misuse } from '../trouble.ts';

/** Asks on standard error and reads one line; `y` and `yes` are yes. `--yes` answers for you; without a terminal it is a misuse. */
export async function confirm(
  question: string,
  { stdin, stderr, assumesYes }: Terminal,
  otherwise = 'Add --yes to proceed without asking.',
): Promise<boolean> {
  if (assumesYes) return true;
  if (!stdin.isTTY) throw misuse('This needs confirmation, but standard input is not a terminal.', otherwise);
  stderr.write(`${plainText(question)} [y/N] `);
  return /^y(es)?$/i.test((await firstLine(stdin)).trim());
}

/** The first line of a stream, without its end; the rest stays unread. */
async function firstLine(stream: Terminal['stdin']): Promise<string> {
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
