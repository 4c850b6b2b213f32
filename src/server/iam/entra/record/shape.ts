/** JSON. */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Members whose values are words of the protocol, the same in every tenant. */
const spoken = new Set([
  'error',
  'error_codes',
  'suberror',
  'code',
  'token_type',
  'ver',
  'typ',
  'alg',
  'kty',
  'use',
  'idtyp',
]);
/** Lists that discovery publishes for everybody. */
const published = /_supported$/;
const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/**
 * The shape of an answer: names stay, values become placeholders, lists show each shape once. Words of the protocol stay,
 * as do sentences of errors with everything taken out that may be a name.
 */
export function shapeOf(value: unknown, name = ''): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return '<boolean>';
  if (typeof value === 'number') return spoken.has(name) ? value : '<number>';
  if (typeof value === 'string') return textShape(value, name);
  if (Array.isArray(value)) {
    const shapes = value.map((one) => JSON.stringify(shapeOf(one, name)));
    return [...new Set(shapes)].sort().map((one) => JSON.parse(one) as Json);
  }
  // What an error says stands beside its code; what somebody is told stays theirs.
  const isError = 'code' in (value as object);
  const members = Object.entries(value as object).map(([key, one]) => [
    nameShape(key),
    key === 'message' && !isError ? shapeOf(one) : shapeOf(one, key),
  ]);
  return Object.fromEntries(members.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)));
}

function textShape(value: string, name: string): Json {
  if (name === 'error_description' || name === 'message') return sentence(value);
  const isWord = /^[A-Za-z][\w.-]{0,60}$/.test(value) || /^\d\.\d$/.test(value);
  const isPublic = spoken.has(name) || published.test(name);
  if (isPublic && isWord && value.replaceAll(guid, '') === value) return value;
  return placeholder(value);
}

/** Names may have the id of an application in them (directory extensions), and annotations a type. */
function nameShape(name: string): string {
  return name.replaceAll(guid, '<id>').replaceAll(/[0-9a-f]{32}/gi, '<id>');
}

function placeholder(value: string): string {
  if (value === '') return '';
  if (value.replaceAll(guid, '') === '') return '<guid>';
  if (/^\d{4}-\d\d-\d\d[T ][\d:.]+Z?$/.test(value)) return '<time>';
  if (/^[\w-]{10,}\.[\w-]{10,}\.[\w-]*$/.test(value)) return '<token>';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return '<url>';
  return /^\d+$/.test(value) ? '<digits>' : '<text>';
}

/** What may name a tenant, its applications or its people is taken out; an unknown name in a known sentence as well. */
export function sentence(text: string): string {
  return text
    .slice(0, 2000)
    .replaceAll(/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s'",)]+/gi, '<url>')
    .replaceAll(guid, '<guid>')
    .replaceAll(/'[^']*'|"[^"]*"/g, '<name>')
    .replaceAll(/\(([^()]*)\)/g, '(<text>)')
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '<time>')
    .replaceAll(/\bnamed (?!<)[^.<]*/g, 'named <name>')
    .replaceAll(/\b(tenant|directory|application|resource|principal) (?!<|ID\b)[A-Z][^.]*/g, '$1 <name>')
    .split(/\s+/)
    .map(wordShape)
    .join(' ')
    .trim()
    .slice(0, 600);
}

function wordShape(word: string): string {
  if (word.includes('@')) return '<address>';
  if (/\w\.\w/.test(word)) return '<host>';
  return word.length > 15 && /\d/.test(word) && !word.startsWith('AADSTS') ? '<id>' : word;
}

/** Headers whose values say nothing of a tenant. */
const plain = ['content-type', 'cache-control', 'pragma', 'expires'];
/** Headers that clients go by: their presence is compared. */
const compared = [
  'retry-after',
  'x-ms-request-id',
  'x-ms-ests-server',
  'x-ms-clitelem',
  'request-id',
  'client-request-id',
  'access-control-allow-origin',
  'odata-version',
];

/** The headers that matter, and the names of all others. */
export function headersOf(headers: Headers): { headers: Record<string, string>; otherHeaders: string[] } {
  const found: Record<string, string> = {};
  const others: string[] = [];
  for (const [name, value] of headers) {
    if (plain.includes(name))
      found[name] = /^[\w /;=,.*+-]{1,160}$/.test(value) ? value.toLowerCase() : '<text>';
    else if (compared.includes(name)) found[name] = '<present>';
    else if (name === 'www-authenticate') found[name] = challenge(value);
    else others.push(name);
  }
  return { headers: found, otherHeaders: others.map(nameShape).sort() };
}

/** The parameters of a challenge; of their values only the error's. */
function challenge(value: string): string {
  return value.replaceAll(/\b(\w{1,40})="([^"]*)"/g, (_, name: string, one: string) =>
    name === 'error' && /^\w{1,60}$/.test(one) ? `${name}="${one}"` : `${name}="<text>"`,
  );
}

/** The shapes of a JWT; undefined for what is none. */
export function tokenShape(token: unknown): { header: Json; claims: Json } | undefined {
  const [header, claims] = String(token).split('.');
  try {
    const read = (part = '') => shapeOf(JSON.parse(Buffer.from(part, 'base64url').toString()));
    return { header: read(header), claims: read(claims) };
  } catch {
    return undefined;
  }
}
