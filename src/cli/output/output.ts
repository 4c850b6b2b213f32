import { plainJson, plainLine, plainText } from '../../contract/values/plain-text.ts';
import type { Meaning } from '../nouns/nouns.ts';
import { asList, namesOf } from '../nouns/shape.ts';
import type { Sink, Terminal } from '../terminal.ts';
import type { Trouble } from '../trouble.ts';

/** How a result is printed. */
export type Form = 'table' | 'wide' | 'json' | 'name';

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** A colour or weight of text. */
export type Style = keyof typeof codes;

/** Paints text, or leaves it as it is where colours are not wanted. */
export interface Paint {
  (style: Style | undefined, text: string): string;
  /** Milliseconds since 1970, where a person reads: times are then shown relative to it. */
  readonly now?: number;
}

/** The two streams of a command: results on standard output, everything said about them on standard error. */
export interface Output {
  readonly json: boolean;
  /** Prints the result: `value` as the one JSON document, its names, or what `show` makes of it for people. */
  result(value: unknown, show: (paint: Paint, room: number | undefined) => string): void;
  /** Says something that is not the result. */
  note(text: string): void;
  warn(text: string): void;
  /** A log line, only with `--debug`; never give it a secret. */
  debug(text: string): void;
  /** Shows why there is no result. */
  trouble(trouble: Trouble): void;
}

/** What is wanted of the output of a command; `meaning` is what the table of nouns knows of it. */
export interface Wanted {
  readonly form: Form;
  readonly debug: boolean;
  readonly meaning?: Meaning | undefined;
}

/** Opens the output of one command run. */
export function openOutput(terminal: Terminal, wanted: Wanted): Output {
  const { stdout, stderr } = terminal;
  const { form, meaning } = wanted;
  const isForReading = stdout.isTTY === true && form === 'table';
  const paintOut: Paint = isForReading
    ? Object.assign(painter(stdout, terminal), { now: terminal.clock.now() })
    : painter(stdout, terminal);
  const paintErr = painter(stderr, terminal);
  const say = (text: string): void => void stderr.write(`${text}\n`);
  const render = (value: unknown, show: (paint: Paint, room: number | undefined) => string): string => {
    if (form === 'name') return namesOf(value, meaning).map(plainLine).join('\n');
    if (form !== 'json') return safe(show(paintOut, isForReading ? stdout.columns : undefined));
    return plainJson(meaning?.byNoun && meaning.verb.rows ? asList(value, meaning.verb.rows) : value);
  };
  return {
    json: form === 'json',
    result(value, show) {
      const text = render(value, show);
      if (text !== '') stdout.write(`${text}\n`);
    },
    note: (text) => say(plainText(text)),
    warn: (text) => say(`${paintErr('yellow', 'warning:')} ${plainText(text)}`),
    debug(text) {
      if (wanted.debug) say(paintErr('dim', `debug: ${plainText(text)}`));
    },
    trouble(trouble) {
      if (form === 'json') stdout.write(`${plainJson({ error: troubleAsJson(trouble) })}\n`);
      say(troubleAsText(trouble, paintErr));
      const cause = trouble.cause instanceof Error ? trouble.cause : trouble;
      if (wanted.debug) say(paintErr('dim', plainText(cause.stack ?? '')));
    },
  };
}

// The commands escape what they show; should one forget to, nothing but our own paint gets through all the same.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
const ownPaint = /(\u001b\[(?:0|1|2|31|32|33)m|\n)/;

function safe(text: string): string {
  return text
    .split(ownPaint)
    .map((part, at) => (at % 2 === 1 ? part : plainLine(part)))
    .join('');
}

function painter(sink: Sink, { env }: Terminal): Paint {
  const colours = sink.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return (style, text) =>
    style && colours && text !== '' ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}

function troubleAsText(trouble: Trouble, paint: Paint): string {
  const { faults = [], remedy, correlationId } = trouble.about;
  return [
    `${paint('red', 'error:')} ${plainText(trouble.message)}`,
    ...(faults.length === 1 && trouble.message.includes(faults[0] ?? '') ? [] : faults).map(
      (fault) => `  - ${plainText(fault)}`,
    ),
    ...(remedy ? [plainText(remedy)] : []),
    ...(correlationId ? [paint('dim', plainText(`correlation id: ${correlationId}`))] : []),
  ].join('\n');
}

function troubleAsJson({ message, about }: Trouble): Record<string, unknown> {
  return {
    message,
    code: about.code,
    status: about.status,
    faults: about.faults,
    remedy: about.remedy,
    correlation_id: about.correlationId,
  };
}
