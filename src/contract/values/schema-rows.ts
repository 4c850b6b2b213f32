import { isObject } from './json.ts';
/** One parameter of a tool, or member of a body, in words; `depth` counts how deep it lies in objects and lists. */
export interface SchemaRow {
  readonly name: string;
  readonly depth: number;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  /** What else is said: default, allowed values, limits. */
  readonly notes: readonly string[];
}

/** A JSON schema as far as it is one: an object. */
export type Schema = Readonly<Record<string, unknown>>;

const deepest = 4;
const most = 200;

/**
 * The parameters that a JSON schema describes, as rows from the top down. A schema comes from a foreign server, so nothing
 * about its shape is taken for granted: what cannot be read is left out, and at most 200 rows are made. `document` is what
 * references are looked up in: the schema itself, unless it is part of something larger.
 */
export function rowsOf(schema: unknown, document: unknown = schema): SchemaRow[] {
  const rows: SchemaRow[] = [];
  const root = isObject(document) ? document : {};
  if (isObject(schema)) addProperties(rows, resolve(schema, root), root, 0);
  return rows;
}

function addProperties(rows: SchemaRow[], schema: Schema, root: Schema, depth: number): void {
  if (depth > deepest) return;
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const [name, value] of Object.entries(isObject(schema.properties) ? schema.properties : {})) {
    if (rows.length >= most) return;
    const property = resolve(value, root);
    rows.push({
      name,
      depth,
      type: typeOf(property, root, 0),
      required: required.includes(name),
      description: textOf(property.description) ?? textOf(property.title) ?? '',
      notes: notesOf(property),
    });
    addProperties(rows, property, root, depth + 1);
    for (const inner of innerOf(property, root)) addProperties(rows, inner, root, depth + 1);
  }
}

/** What lies one level deeper and has parameters of its own: the items of a list, the choices of a union. */
function innerOf(property: Schema, root: Schema): Schema[] {
  const choices = [property.anyOf, property.oneOf].find(Array.isArray) ?? [];
  return [property.items, ...choices]
    .map((inner) => resolve(inner, root))
    .filter((inner) => isObject(inner.properties));
}

function typeOf(schema: Schema, root: Schema, depth: number): string {
  if (depth > deepest) return 'any';
  const choices = [schema.anyOf, schema.oneOf].find(Array.isArray);
  if (choices) return unique(choices.map((choice) => typeOf(resolve(choice, root), root, depth + 1)));
  if (Array.isArray(schema.type)) return unique(schema.type.map((type) => textOf(type) ?? 'any'));
  if (Array.isArray(schema.enum) || 'const' in schema) return textOf(schema.type) ?? 'choice';
  if (schema.type === 'array') {
    const items = typeOf(resolve(schema.items, root), root, depth + 1);
    return `list of ${items}`;
  }
  const type = textOf(schema.type) ?? (isObject(schema.properties) ? 'object' : 'any');
  const format = textOf(schema.format);
  return format ? `${type} (${format})` : type;
}

function notesOf(schema: Schema): string[] {
  const notes: string[] = [];
  const choices = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : [];
  if (choices.length > 0) notes.push(`one of ${choices.slice(0, 50).map(show).join(', ')}`);
  if ('default' in schema) notes.push(`default ${show(schema.default)}`);
  const limits: [string, string][] = [
    ['minimum', 'at least'],
    ['exclusiveMinimum', 'more than'],
    ['maximum', 'at most'],
    ['exclusiveMaximum', 'less than'],
    ['minLength', 'characters at least'],
    ['maxLength', 'characters at most'],
    ['minItems', 'items at least'],
    ['maxItems', 'items at most'],
  ];
  for (const [key, words] of limits)
    if (typeof schema[key] === 'number') notes.push(`${words} ${schema[key]}`);
  const pattern = textOf(schema.pattern);
  if (pattern) notes.push(`pattern ${pattern}`);
  return notes;
}

/** Follows `$ref` within the document, a few steps at most, because references can go round in circles. */
export function resolve(value: unknown, root: Schema): Schema {
  let schema: unknown = value;
  for (let step = 0; step < deepest; step++) {
    if (!isObject(schema)) return {};
    const reference = textOf(schema.$ref);
    if (!reference?.startsWith('#/')) return schema;
    schema = reference
      .slice(2)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((at, part) => (isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined), root);
  }
  return {};
}

/** A value that is text and not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function unique(words: string[]): string {
  return [...new Set(words)].join(' or ');
}
