import { parseEnv } from 'node:util';
import { envFile, type SetupFiles } from './files.ts';

/** The lines of `.env` that the setup of one provider writes, and writes anew. */
export interface SettingsBlock {
  /** The settings of the block. */
  in(text: string): Readonly<Record<string, string | undefined>>;
  /** The text with a block of these settings; other lines stay, those that name one of the settings are set aside. */
  into(text: string, settings: Readonly<Record<string, string>>): string;
  /** The text without the block, and with what was set aside for it in force again. */
  outOf(text: string): string;
}

/** What tells a block: its first and last line, and what stands before a line of somebody else's that it overrules. */
interface Marks {
  readonly begin: string;
  readonly end: string;
  readonly aside: string;
}

/** The block of a provider. */
export function settingsBlock(provider: string): SettingsBlock {
  const marks: Marks = {
    begin: `# >>> mcp-gateway setup ${provider}: written by the command, which replaces these lines`,
    end: `# <<< mcp-gateway setup ${provider}`,
    // Entra's came first and does not say whose it is.
    aside: `# set aside by mcp-gateway setup${provider === 'entra' ? '' : ` ${provider}`}: `,
  };
  return {
    in: (text) => parseEnv(blockIn(text, marks) ?? ''),
    into: (text, settings) => withBlock(text, settings, marks),
    outOf: (text) => withoutBlock(text, marks),
  };
}

/** Takes a block out of `.env`; answers a line when there was one. */
export async function removeBlock(files: SetupFiles, block: SettingsBlock): Promise<string[]> {
  const text = await files.read(envFile);
  if (text === undefined || Object.keys(block.in(text)).length === 0) return [];
  const rest = block.outOf(text);
  await (rest === '' ? files.remove(envFile) : files.write(envFile, rest));
  return [`the settings in ${envFile}`];
}

function withBlock(text: string, settings: Readonly<Record<string, string>>, marks: Marks): string {
  const others = lines(outside(text, marks)).map((line) => {
    const name = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(line)?.[1];
    return name && Object.hasOwn(settings, name) ? `${marks.aside}${line}` : line;
  });
  const block = Object.entries(settings).map(([name, value]) => `${name}=${quotedIfNeeded(value)}`);
  const before = others.join('\n').trimEnd();
  return `${before}${before ? '\n\n' : ''}${[marks.begin, ...block, marks.end].join('\n')}\n`;
}

function withoutBlock(text: string, marks: Marks): string {
  const rest = lines(outside(text, marks))
    .map((line) => (line.startsWith(marks.aside) ? line.slice(marks.aside.length) : line))
    .join('\n')
    .trimEnd();
  return rest === '' ? '' : `${rest}\n`;
}

function blockIn(text: string, { begin, end }: Marks): string | undefined {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  return from < 0 || to < from ? undefined : text.slice(from, to + end.length);
}

function outside(text: string, marks: Marks): string {
  const block = blockIn(text, marks);
  return block === undefined ? text : text.replace(block, '');
}

function lines(text: string): string[] {
  return text === '' ? [] : text.split(/\r?\n/);
}

function quotedIfNeeded(value: string): string {
  return /^[\w.~:/@+,-]*$/.test(value) ? value : `'${value}'`;
}
