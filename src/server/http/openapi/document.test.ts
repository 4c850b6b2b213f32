import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { endpoints } from '../../../contract/index.ts';
import { failures } from '../../failure/errors.ts';
import { openApi } from './document.ts';

interface Operation {
  readonly operationId: string;
  readonly description: string;
  readonly 'x-permission': unknown;
  readonly security: Record<string, unknown>[];
  readonly parameters?: { readonly name?: string; readonly in?: string; readonly $ref?: string }[];
  readonly requestBody?: { readonly content: Record<string, { schema: Record<string, unknown> }> };
  readonly responses: Record<
    string,
    { content?: Record<string, { schema: Record<string, unknown> }>; headers?: object; $ref?: string }
  >;
}

const described = { version: '1.2.3', url: 'https://gateway.example', cookie: 'the_session' };
const document = JSON.parse(JSON.stringify(openApi(endpoints, described))) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; responses: Record<string, object> };
};
const operationOf = (id: keyof typeof endpoints): Operation => {
  const { path, method } = endpoints[id];
  return document.paths[path]![method.toLowerCase()]!;
};

test('the document is valid OpenAPI 3.1, and every reference leads somewhere', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, '3.1']);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, to]) => to!);
  expect(references.length).toBeGreaterThan(100);
  const missing = references.filter(
    (to) =>
      to.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], document) ===
      undefined,
  );
  expect(missing).toEqual([]);
});

test.each(Object.entries(endpoints))('%s has its operation with its permission', (id, endpoint) => {
  const operation = document.paths[endpoint.path]?.[endpoint.method.toLowerCase()];
  expect(operation).toMatchObject({ operationId: id, 'x-permission': endpoint.permission });
  const { permission } = endpoint;
  if (typeof permission === 'object') expect(operation?.description).toContain(permission.can);
  const inPath = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const declared = operation?.parameters?.filter((one) => one.in === 'path').map(({ name }) => name) ?? [];
  expect(declared).toEqual(inPath);
});

test('public operations ask for no credential, changes in a session for the CSRF token too', () => {
  expect(operationOf('system.health').security).toEqual([]);
  expect(operationOf('servers.list').security).toEqual([{ bearer: [] }, { session: [] }]);
  expect(operationOf('servers.toggle').security).toEqual([{ bearer: [] }, { session: [], csrf: [] }]);
  expect(operationOf('tokens.generate').security).toEqual([{ session: [], csrf: [] }]);
});

test('bodies are described as they are sent, answers as they come', () => {
  const sent = operationOf('servers.register').requestBody?.content['application/json']?.schema;
  expect(sent?.required).toEqual(['server_name', 'path', 'proxy_pass_url']);
  const answer = operationOf('servers.register').responses['201']?.content?.['application/json']?.schema;
  expect(answer).toEqual({ $ref: '#/components/schemas/Server' });
  expect(document.components.schemas.Server).toMatchObject({ required: expect.arrayContaining(['license']) });
});

test('where a form is taken too, it is described as one', () => {
  const content = operationOf('scopes.create').requestBody?.content ?? {};
  expect(Object.keys(content)).toEqual(['application/json', 'application/x-www-form-urlencoded']);
  expect(Object.keys(operationOf('servers.register').requestBody?.content ?? {})).toEqual([
    'application/json',
  ]);
});

test('conditional changes name If-Match, and what shows the tag names ETag', () => {
  const parameters = operationOf('servers.patch').parameters;
  expect(parameters).toContainEqual({ $ref: '#/components/parameters/IfMatch' });
  expect(Object.keys(operationOf('servers.patch').responses)).toContain('412');
  expect(operationOf('servers.get').responses['200']?.headers).toHaveProperty('ETag');
  expect(operationOf('servers.list').responses['200']?.headers).not.toHaveProperty('ETag');
});

test('paging parameters and other media types are there', () => {
  expect(operationOf('servers.list').parameters?.map(({ name }) => name)).toEqual([
    'query',
    'limit',
    'offset',
  ]);
  expect(Object.keys(operationOf('servers.events').responses['200']?.content ?? {})).toEqual([
    'text/event-stream',
  ]);
});

test('failures are problem documents that name exactly the codes of the table', () => {
  const told = Object.values(document.components.responses).flatMap((response) =>
    JSON.stringify(response)
      .match(/(?<="enum":\[)[^\]]+/)![0]
      .split(','),
  );
  expect(told.map((code) => JSON.parse(code)).sort()).toEqual(Object.keys(failures).sort());
  expect(operationOf('servers.get').responses['404']).toEqual({
    $ref: '#/components/responses/Problem404',
  });
});
