import pino, { type Logger } from 'pino';
import { plainJsonLine, plainText } from '../contract/values/plain-text.ts';
import type { Config } from './config/config.ts';

/** The log as rooms see it: an object of facts first, then a sentence. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>;

const hidden = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'access_token',
  'id_token',
  'client_secret',
  'code_verifier',
  'assertion',
];

/** Makes the log: JSON lines, or plain text for people; known names of secrets are cut out wherever they stand. */
export function createLog(settings: Config['log'], write: (line: string) => void): Logger {
  const redact = { paths: hidden.flatMap((name) => [name, `*.${name}`, `*["${name}"]`]), censor: '[hidden]' };
  const options = { level: settings.level, redact, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, {
    write:
      settings.format === 'json'
        ? (line: string) => write(`${plainJsonLine(line.trimEnd())}\n`)
        : (line: string) => write(textOf(line)),
  });
}

function textOf(line: string): string {
  const { level, time, msg, err, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const name = pino.levels.labels[Number(level)] ?? String(level);
  const more = Object.keys(facts).length > 0 ? ` ${plainJsonLine(JSON.stringify(facts))}` : '';
  const stack = err
    ? `\n  ${plainText(String((err as { stack?: unknown }).stack ?? JSON.stringify(err)))}`
    : '';
  return `${String(time).slice(11, 23)} ${name.padEnd(5)} ${plainText(String(msg ?? ''))}${more}${stack}\n`;
}

/** A name as logs may show it: enough to recognise by somebody who knows it, not enough to learn it. */
export function masked(value: string | null | undefined): string | null {
  if (!value) return null;
  const [local = '', domain] = value.split('@');
  return `${local.slice(0, 2)}***${domain ? `@${domain}` : ''}`;
}
