import { readdirSync, readFileSync } from 'node:fs';
import { parseAst } from 'vite';
import { failures } from '../src/server/failure/errors.ts';

/** A node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A message that users see: what it is, its text with `{placeholders}`, what to do about it, and the file that says it. */
interface Message {
  readonly kind: string;
  readonly text: string;
  readonly fix?: string;
  readonly file: string;
}

/** Every message of the API and of the command line, as docs/reference/messages.md. */
export function renderMessages(): string {
  const api = ['src/server', 'src/contract'].flatMap(messagesBelow);
  const cli = messagesBelow('src/cli');
  const ofCode = (code: string): Message[] => api.filter(({ kind }) => kind === code);
  const parts = [
    ...Object.entries(failures).map(([code, { status, fix }]) =>
      part(`### \`${code}\` (${status})`, `${fix.replaceAll('](../', '](../')}`, ofCode(code)),
    ),
    part('### Of several codes', 'The code depends on what happened.', ofCode('several')),
  ];
  return `# Messages

Every message of the API and of the command line in one place, to be read at once. \`{…}\` stands for what it is about. The texts of the web
interface are in \`src/ui/words\`. Generated from the source; checked by a test.

## API: \`detail\` of an error

Each by its [code](errors.md), with the general fix. A text that has its own fix says it.

${parts.filter(Boolean).join('\n')}
## API: problems of the input

In \`errors\`, each with the place in \`at\`; the place is the subject of the sentence.

${table(api.filter(({ kind }) => kind === 'input'))}
## API: other texts

Reasons of health checks, of sign-in and of what is refused at startup.

${table(api.filter(({ kind }) => kind === 'other'))}
## Command line: errors

After \`error:\`, on standard error; exit code 2 for wrong usage, else 1.

${table(
  cli.filter(({ kind }) => kind === 'error'),
  true,
)}
## Command line: notes, warnings and questions

On standard error, so that pipes get results only.

${table(cli.filter(({ kind }) => kind === 'note'))}`;
}

function part(heading: string, lead: string, messages: readonly Message[]): string {
  return messages.length === 0 ? '' : `${heading}\n\n${lead}\n\n${table(messages)}`;
}

function table(messages: readonly Message[], withFix = false): string {
  const cell = (text: string): string =>
    text
      .replaceAll('|', '\\|')
      .replaceAll('<', '&lt;')
      .replaceAll('{', '&#123;')
      .replaceAll(/\s+/g, ' ')
      .trim();
  const rows = messages.map(({ text, fix, file }) =>
    withFix ? `| ${cell(text)} | ${cell(fix ?? '')} | \`${file}\` |` : `| ${cell(text)} | \`${file}\` |`,
  );
  const head = withFix ? '| text | fix | where |\n|---|---|---|' : '| text | where |\n|---|---|';
  return `${head}\n${[...new Set(rows)].sort().join('\n')}\n`;
}

function messagesBelow(folder: string): Message[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !/\.test(-support)?\.ts$/.test(name))
    .sort()
    .flatMap(messagesOf);
}

/** Members whose value is a message that is shown as it is. */
const members: Readonly<Record<string, string>> = {
  ...{
    fault: 'other',
    reason: 'other',
    because: 'other',
    detail: 'other',
    said: 'other',
    what: 'other',
    why: 'other',
  },
  message: 'input',
};

function messagesOf(file: string): Message[] {
  const source = readFileSync(file, 'utf8');
  if (
    !/Failure|Trouble|misuse|message|fault|reason|because|detail|said|why|note\(|warn\(|\.error\(|ask\(|confirm\(/.test(
      source,
    )
  )
    return [];
  const found: Message[] = [];
  const isCli = file.startsWith('src/cli/');
  const short = file.replace(/^src\//, '');
  const add = (kind: string, node: unknown, fix?: unknown): void => {
    const fixes = textsOf(fix);
    for (const text of textsOf(node))
      if (/[a-z] \S/i.test(text))
        found.push({ kind, text, file: short, ...(fixes.length > 0 ? { fix: fixes.join(' / ') } : {}) });
  };
  walk(parseAst(source, { lang: 'ts' }) as unknown as Node, (node) => {
    if (node.type === 'NewExpression' || node.type === 'CallExpression') {
      const name = nameOf(node.callee);
      const [first, second] = (node.arguments ?? []) as Node[];
      if (name === 'Failure') {
        const [code, another] = textsOf(first);
        add(code !== undefined && another === undefined && code in failures ? code : 'several', second);
      } else if (name === 'Trouble') add('error', first, member(second, 'remedy'));
      else if (name === 'misuse') add('error', first, second);
      else if (isCli && (name === 'error' || name === 'InvalidArgumentError')) add('error', first);
      else if (isCli && ['note', 'warn', 'ask', 'confirm', 'orNotFound'].includes(name)) add('note', first);
      else if (!isCli && ['refusal', 'RpcError', 'fault', 'errorPage', 'again', 'well', 'bad'].includes(name))
        add('other', second);
      else if (!isCli && (name === 'refine' || name === 'regex' || name === 'ConfigFault'))
        add('input', second ?? first);
    }
    if (node.type === 'Property' && !isCli) {
      const kind = members[nameOf(node.key)];
      if (kind !== undefined) add(kind, node.value);
    }
  });
  return found;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === 'object' && child !== null && typeof (child as Node).type === 'string')
        walk(child as Node, visit);
}

function member(node: Node | undefined, name: string): unknown {
  const properties = (node?.properties ?? []) as Node[];
  return properties.find((one) => nameOf(one.key) === name)?.value;
}

/** The last name of `a.b.c`, or the text of a key. */
function nameOf(node: unknown): string {
  const { type, name, value, property } = (node ?? {}) as Record<string, unknown>;
  if (type === 'MemberExpression') return nameOf(property);
  return String(name ?? value ?? '');
}

/** The texts that an expression can be: of a literal, a template, a sum, and of each side of a condition. */
function textsOf(expression: unknown): string[] {
  const node = (expression ?? {}) as Node;
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : [];
    case 'TemplateLiteral': {
      const pieces = node.quasis as { value: { cooked: string } }[];
      const inside = node.expressions as Node[];
      return [
        pieces
          .map(({ value }, at) => value.cooked + (inside[at] ? `{${placeholder(inside[at])}}` : ''))
          .join(''),
      ];
    }
    case 'BinaryExpression': {
      const [left, right] = [textsOf(node.left), textsOf(node.right)];
      if (node.operator !== '+' || left.length + right.length === 0) return [];
      return (left.length ? left : ['{…}']).flatMap((one) =>
        (right.length ? right : ['{…}']).map((two) => one + two),
      );
    }
    case 'ConditionalExpression':
      return [...textsOf(node.consequent), ...textsOf(node.alternate)];
    case 'LogicalExpression':
      return [...textsOf(node.left), ...textsOf(node.right)];
    case 'ObjectExpression':
      return textsOf(member(node, 'message') ?? member(node, 'error'));
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'ParenthesizedExpression':
      return textsOf(node.expression);
    case 'ArrowFunctionExpression':
      return textsOf(node.body);
    default:
      return [];
  }
}

/** What a placeholder is called: the last name in it. */
function placeholder(node: Node): string {
  if (node.type === 'CallExpression') {
    const [first] = (node.arguments ?? []) as Node[];
    return first ? placeholder(first) : '…';
  }
  return nameOf(node) || '…';
}
