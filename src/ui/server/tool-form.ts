import { isObject } from '../../contract/values/json.ts';
import { resolve, type Schema, textOf } from '../../contract/values/schema-rows.ts';
import { t } from '../words/words.ts';

/** One field of the form by which a tool is tried out. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly required: boolean;
  /** `json`: what no plain field can hold (lists, objects, several types), written as JSON. */
  readonly kind: 'text' | 'number' | 'integer' | 'choice' | 'json';
  /** The values to choose from, as JSON. */
  readonly options: readonly string[];
  /** What the field begins with. */
  readonly initial: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** A field whose text is no value of it, and why. */
export interface FieldFault {
  readonly name: string;
  readonly message: string;
}

const most = 100;

/** The fields for the arguments that a JSON schema describes; the schema comes from a foreign server and may be anything. */
export function fieldsOf(schema: unknown): Field[] {
  if (!isObject(schema)) return [];
  const root = resolve(schema, schema);
  const required = Array.isArray(root.required) ? root.required : [];
  return Object.entries(isObject(root.properties) ? root.properties : {})
    .slice(0, most)
    .map(([name, value]) => fieldOf(name, plain(resolve(value, schema), schema), required.includes(name)));
}

/** A choice between one type and null is that type: leaving the field empty leaves the argument out. */
function plain(schema: Schema, root: Schema): Schema {
  const choices = [schema.anyOf, schema.oneOf].find(Array.isArray);
  if (choices) {
    const real = choices.map((one) => resolve(one, root)).filter((one) => one.type !== 'null');
    return real.length === 1 ? { ...schema, anyOf: undefined, oneOf: undefined, ...real[0] } : schema;
  }
  const types = Array.isArray(schema.type) ? schema.type.filter((type) => type !== 'null') : [];
  return types.length === 1 ? { ...schema, type: types[0] } : schema;
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const options = optionsOf(schema);
  const kind = kindOf(schema, options);
  const { default: initial, minimum, maximum } = schema;
  return {
    ...{ name, kind, options, required },
    label: textOf(schema.title) ?? name,
    description: textOf(schema.description) ?? '',
    initial: initial === undefined ? '' : kind === 'text' ? String(initial) : JSON.stringify(initial),
    min: typeof minimum === 'number' ? minimum : undefined,
    max: typeof maximum === 'number' ? maximum : undefined,
  };
}

function optionsOf(schema: Schema): string[] {
  if (schema.type === 'boolean') return ['true', 'false'];
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : [];
  return values.slice(0, most).map((value) => JSON.stringify(value) ?? 'null');
}

function kindOf(schema: Schema, options: readonly string[]): Field['kind'] {
  if (options.length > 0) return 'choice';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'number' || schema.type === 'integer') return schema.type;
  return 'json';
}

/** The arguments that the texts of the fields stand for, or what is wrong with them; empty fields are left out. */
export function argumentsOf(
  fields: readonly Field[],
  texts: Readonly<Record<string, string>>,
): { readonly args: Record<string, unknown>; readonly faults: readonly FieldFault[] } {
  const faults: FieldFault[] = [];
  const args: [string, unknown][] = [];
  for (const field of fields) {
    const text = Object.hasOwn(texts, field.name) ? (texts[field.name] ?? '') : '';
    if (text === '') {
      if (field.required && field.kind === 'text') args.push([field.name, '']);
      else if (field.required) faults.push({ name: field.name, message: t('This is needed.') });
      continue;
    }
    const read = readValue(field, text);
    if ('message' in read) faults.push({ name: field.name, message: read.message });
    else args.push([field.name, read.value]);
  }
  return { args: Object.fromEntries(args), faults };
}

function readValue({ kind, min, max }: Field, text: string): { value: unknown } | { message: string } {
  if (kind === 'text') return { value: text };
  if (kind === 'json' || kind === 'choice')
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return { message: t('This is not JSON: texts need double quotes, lists [ ], objects { }.') };
    }
  const value = Number(text);
  if (!Number.isFinite(value)) return { message: t('This is not a number.') };
  if (kind === 'integer' && !Number.isInteger(value)) return { message: t('This must be a whole number.') };
  if (min !== undefined && value < min) return { message: t('This must be {min} at least.', { min }) };
  if (max !== undefined && value > max) return { message: t('This must be {max} at most.', { max }) };
  return { value };
}
