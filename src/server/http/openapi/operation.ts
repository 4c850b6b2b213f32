import type { Endpoint } from '../../../contract/endpoint.ts';
import { permissionInWords, securityOf } from './permissions.ts';
import { problemsOf } from './problems.ts';
import type { Components, Schema } from './schemas.ts';

/** One endpoint as an OpenAPI operation; `tagged`: its answer carries an ETag. */
export function operationOf(id: string, endpoint: Endpoint, components: Components, tagged: boolean): Schema {
  const { permission, summary, conditional } = endpoint;
  const parameters = [
    ...pathParameters(endpoint, components),
    ...queryParameters(endpoint, components),
    ...(conditional ? [{ $ref: '#/components/parameters/IfMatch' }] : []),
  ];
  return {
    operationId: id,
    tags: [entityOf(id)],
    summary,
    description: `${summary}. For ${permissionInWords(permission)}.`,
    'x-permission': permission,
    security: securityOf(endpoint),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(endpoint, components),
    responses: {
      [String(endpoint.status ?? 200)]: success(endpoint, components, tagged),
      ...problemsOf(endpoint),
    },
  };
}

/** The entity that an endpoint belongs to: the first part of its id. */
export function entityOf(id: string): string {
  return id.split('.')[0] ?? id;
}

function requestBody({ body, form }: Endpoint, components: Components): Schema {
  if (!body) return {};
  const sent = { schema: components.schemaOf(body, 'input') };
  const content = {
    'application/json': sent,
    ...(form ? { 'application/x-www-form-urlencoded': sent } : {}),
  };
  return { requestBody: { required: true, content } };
}

function pathParameters({ path, params }: Endpoint, components: Components): Schema[] {
  const schema = params ? components.schemaOf(params, 'input') : {};
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...(name === 'path' ? { description: 'May span several segments, such as `team/search`.' } : {}),
    schema: propertiesOf(schema)[name] ?? { type: 'string' },
  }));
}

function queryParameters({ query }: Endpoint, components: Components): Schema[] {
  if (!query) return [];
  const schema = components.schemaOf(query, 'input');
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(propertiesOf(schema)).map(([name, { description, ...property }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(typeof description === 'string' ? { description } : {}),
    schema: property,
  }));
}

function propertiesOf({ properties }: Schema): Record<string, Schema> {
  return typeof properties === 'object' && properties !== null ? (properties as Record<string, Schema>) : {};
}

function success({ output, media, status }: Endpoint, components: Components, tagged: boolean): Schema {
  const description = status === 204 ? 'Done; no content' : status === 201 ? 'Made' : 'Success';
  const headers = {
    'X-Correlation-Id': { $ref: '#/components/headers/CorrelationId' },
    ...(tagged ? { ETag: { $ref: '#/components/headers/ETag' } } : {}),
  };
  if (status === 204) return { description, headers };
  const types = media === undefined ? [] : typeof media === 'string' ? [media] : media;
  const content =
    types.length === 0
      ? { 'application/json': { schema: components.schemaOf(output, 'output') } }
      : Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
  return { description, headers, content };
}
