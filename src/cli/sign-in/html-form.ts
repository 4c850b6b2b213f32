/** A form of a page: where it goes and what it would send as it stands. */
export interface Form {
  /** As written; relative to the page. */
  readonly action: string;
  /** Named values that are sent without anybody typing: hidden fields and preset ones. */
  readonly preset: ReadonlyMap<string, string>;
  /** Names of the field to type a user name into, and of the one for the password. */
  readonly userField?: string;
  readonly passwordField?: string;
}

/** The forms of a page. It reads plain markup as servers write it; it is not a parser for any HTML there is. */
export function formsOf(html: string): Form[] {
  const text = html.replace(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1\s*>/gi, '');
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form\s*>/gi)].map(([, head = '', body = '']) =>
    formOf(attributesOf(head).get('action') ?? '', body),
  );
}

function formOf(action: string, body: string): Form {
  const preset = new Map<string, string>();
  let [userField, passwordField]: (string | undefined)[] = [];
  for (const [, tag = ''] of body.matchAll(/<input\b((?:"[^"]*"|'[^']*'|[^>"'])*)>/gi)) {
    const attributes = attributesOf(tag);
    const name = attributes.get('name');
    const type = (attributes.get('type') ?? 'text').toLowerCase();
    if (!name || attributes.has('disabled')) continue;
    if (type === 'password') passwordField ??= name;
    else if (type === 'text' || type === 'email') userField ??= name;
    if (
      type === 'hidden' ||
      (!['submit', 'button', 'checkbox', 'radio'].includes(type) && attributes.get('value'))
    )
      preset.set(name, attributes.get('value') ?? '');
  }
  return { action, preset, ...(userField ? { userField } : {}), ...(passwordField ? { passwordField } : {}) };
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, bare] of text.matchAll(
    /([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g,
  ))
    attributes.set(name.toLowerCase(), decoded(double ?? single ?? bare ?? ''));
  return attributes;
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/** Text with its character references resolved, as far as forms of ours use them. */
export function decoded(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return named[String(name).toLowerCase()] ?? whole;
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
