import { parseEnv } from 'node:util';

/** The files that setup writes, in the directory of the gateway. */
export interface SetupFiles {
  /** The text of a file; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  /** Writes a file whole or not at all, readable by its owner only. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** The text of examples/scopes.yml. */
  exampleScopes(): Promise<string>;
}

const begin = '# >>> mcp-gateway setup entra: written by the command, which writes these lines anew';
const end = '# <<< mcp-gateway setup entra';
/** Before a line that stood outside of the block and names one of its settings: the block counts, the line is kept. */
const aside = '# set aside by mcp-gateway setup: ';

/** The settings of a file. */
export function settingsIn(text: string): Readonly<Record<string, string | undefined>> {
  return parseEnv(text);
}

/** The settings of the block that setup wrote. */
export function settingsOfBlock(text: string): Readonly<Record<string, string | undefined>> {
  return parseEnv(blockIn(text) ?? '');
}

/** The text with a block of these settings; other lines stay, those that name one of the settings are set aside. */
export function withBlock(text: string, settings: Readonly<Record<string, string>>): string {
  const others = lines(outside(text)).map((line) => {
    const name = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1];
    return name && Object.hasOwn(settings, name) ? `${aside}${line}` : line;
  });
  const block = Object.entries(settings).map(([name, value]) => `${name}=${quotedIfNeeded(value)}`);
  const before = others.join('\n').trimEnd();
  return `${before}${before ? '\n\n' : ''}${[begin, ...block, end].join('\n')}\n`;
}

/** The text without the block, and with what was set aside for it in force again. */
export function withoutBlock(text: string): string {
  const rest = lines(outside(text))
    .map((line) => (line.startsWith(aside) ? line.slice(aside.length) : line))
    .join('\n')
    .trimEnd();
  return rest === '' ? '' : `${rest}\n`;
}

function blockIn(text: string): string | undefined {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  return from < 0 || to < from ? undefined : text.slice(from, to + end.length);
}

function outside(text: string): string {
  const block = blockIn(text);
  return block === undefined ? text : text.replace(block, '');
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split(/\r?\n/);
}

function quotedIfNeeded(value: string): string {
  return /^[\w.~:/@+,-]*$/.test(value) ? value : `'${value}'`;
}

/** The example with our groups instead of the demo tenant's: each mapping is known by the role that it gives. */
export function scopesFor(
  example: string,
  groups: Readonly<Record<string, { id: string; name: string } | undefined>>,
): string {
  return example.replaceAll(
    /^ {2}# [^\n]*\n {2}"[0-9a-f-]{36}":\n((?: {4}- [^\n]*\n)+)\n?/gm,
    (_, scopes: string) => {
      const role = /mcp-registry-(\w+)/.exec(scopes)?.[1] ?? '';
      const ours = groups[role];
      return ours ? `  # ${ours.name}\n  "${ours.id}":\n${scopes}\n` : '';
    },
  );
}
