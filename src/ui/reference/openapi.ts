import { isObject } from '../../contract/values/json.ts';
/** A JSON object of the OpenAPI document. */
export type Part = Readonly<Record<string, unknown>>;

/** One operation of the OpenAPI document, as far as a reader needs it. */
export interface Operation {
  readonly id: string;
  readonly tag: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  /** Who may call it, in words. */
  readonly description: string;
  /** Parameters of path and query as a schema of an object, for the table. */
  readonly parameters: Part;
  readonly conditional: boolean;
  readonly body: Part | undefined;
  readonly answers: readonly Answer[];
}

/** What an operation may answer. */
export interface Answer {
  readonly status: string;
  readonly description: string;
  readonly media: readonly string[];
  /** The schema of a JSON answer. */
  readonly schema: Part | undefined;
}

/** The operations of an OpenAPI document in its order. */
export function operationsOf(document: Part): Operation[] {
  return Object.entries(partOf(document.paths)).flatMap(([path, methods]) =>
    Object.entries(partOf(methods)).map(([method, value]) => {
      const operation = partOf(value);
      const given = listOf(operation.parameters);
      const named = given.filter(({ name }) => typeof name === 'string');
      const json = partOf(partOf(partOf(operation.requestBody).content)['application/json']);
      return {
        ...{ method: method.toUpperCase(), path },
        id: textOf(operation.operationId),
        tag: textOf(Array.isArray(operation.tags) ? operation.tags[0] : ''),
        summary: textOf(operation.summary),
        description: textOf(operation.description),
        parameters: schemaOf(named),
        conditional: given.length > named.length,
        body: json.schema === undefined ? undefined : partOf(json.schema),
        answers: Object.entries(partOf(operation.responses)).map(([status, answer]) =>
          answerOf(status, resolved(answer, document)),
        ),
      };
    }),
  );
}

function schemaOf(parameters: readonly Part[]): Part {
  const properties = parameters.map(({ name, schema, description }) => [
    textOf(name),
    { ...partOf(schema), ...(description === undefined ? {} : { description }) },
  ]);
  const required = parameters.filter((one) => one.required === true).map(({ name }) => name);
  return { properties: Object.fromEntries(properties), required };
}

function answerOf(status: string, answer: Part): Answer {
  const content = partOf(answer.content);
  const json = partOf(content['application/json']);
  return {
    status,
    description: textOf(answer.description),
    media: Object.keys(content),
    schema: json.schema === undefined || status >= '400' ? undefined : partOf(json.schema),
  };
}

/** Follows a reference into the document; one step is all that the gateway's own document needs. */
function resolved(value: unknown, document: Part): Part {
  const part = partOf(value);
  const reference = textOf(part.$ref);
  if (!reference.startsWith('#/')) return part;
  return partOf(
    reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => partOf(at)[key], document),
  );
}

function partOf(value: unknown): Part {
  return isObject(value) ? (value as Part) : {};
}

function listOf(value: unknown): Part[] {
  return Array.isArray(value) ? value.map(partOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
