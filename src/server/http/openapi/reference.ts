import type { Endpoint, Endpoints } from '../../../contract/endpoint.ts';
import { rowsOf } from '../../../contract/values/schema-rows.ts';
import { openApi } from './document.ts';
import { entityOf } from './operation.ts';
import { permissionInShort, permissionInWords } from './permissions.ts';
import type { Schema } from './schemas.ts';

/** docs/reference/api.md, whole. */
export function renderApi(endpoints: Endpoints): string {
  const described = { version: '', url: 'http://localhost:8080', cookie: 'mcp_gateway_session' };
  const document = openApi(endpoints, described);
  const entities = Map.groupBy(Object.entries(endpoints), ([id]) => entityOf(id));
  const sections = [...entities].map(([entity, rows]) => renderEntity(entity, rows, document));
  return `${introduction}\n${sections.join('\n')}\n${renderSchemas(at(document, 'components', 'schemas'))}`;
}

const introduction = `# API

Generated from the table of endpoints (\`src/contract/index.ts\`); checked by a test. The same as OpenAPI 3.1 is at \`/openapi.json\`
of every gateway, and as a page to browse at \`/docs/api\`.

Send an access token of the identity provider or a personal token as \`Authorization: Bearer <token>\`; a browser sends its session
cookie, and with every change \`X-CSRF-Token\` (from \`GET /api/auth/me\`). \`{path}\` may span several segments. Failures are
problem documents with a stable code: [errors](errors.md). Every answer has an \`X-Correlation-Id\`, by which the log and the audit
trail know the request. Where \`If-Match\` is honoured, a change meant for another revision is refused with 412.

Permissions: \`public\` anyone · \`identity\` anyone signed in or with a valid token · \`session\` a browser session ·
\`administrator\` administrators · any other: the permission of that name in the caller's scopes, "on it" for what the path names
([access](../access.md)). What a caller is not even allowed to list returns 404.
`;

function renderEntity(entity: string, rows: readonly [string, Endpoint][], document: Schema): string {
  const list = rows.map(
    ([, { method, path, permission, summary }]) =>
      `| ${method} | \`${path}\` | ${permissionInShort(permission)} | ${cell(summary)} |`,
  );
  const details = rows.map(([id, endpoint]) => renderEndpoint(id, endpoint, document));
  return `## ${entity}\n\n| method | path | permission | |\n|---|---|---|---|\n${list.join('\n')}\n\n${details.join('\n')}`;
}

function renderEndpoint(id: string, endpoint: Endpoint, document: Schema): string {
  const operation = at(document, 'paths', endpoint.path, endpoint.method.toLowerCase());
  const sent = at(operation, 'requestBody', 'content', 'application/json', 'schema');
  const success = at(operation, 'responses', String(endpoint.status ?? 200));
  const parts = [
    `### ${id}`,
    `\`${endpoint.method} ${endpoint.path}\` for ${permissionInWords(endpoint.permission)}${
      endpoint.conditional ? '; honours `If-Match`' : ''
    }.`,
    renderParameters(operation),
    endpoint.body ? renderBody(endpoint.form ? 'Body, JSON or a form' : 'Body', sent) : '',
    renderAnswer(endpoint, success),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderParameters({ parameters }: Schema): string {
  if (!Array.isArray(parameters)) return '';
  const rows = parameters.flatMap((parameter: Schema) => {
    const { name, schema, required, description } = parameter;
    // Written out once for all: If-Match.
    if (typeof name !== 'string') return [];
    const [row] = rowsOf({ properties: { [name]: schema } });
    const meaning = [typeof description === 'string' ? description : '', ...(row?.notes ?? [])];
    return [
      `| \`${name}\` | ${cell(row?.type ?? '')}${required ? ', required' : ''} | ${sentence(meaning)} |`,
    ];
  });
  return rows.length === 0 ? '' : `| parameter | type | |\n|---|---|---|\n${rows.join('\n')}`;
}

/** Of a body whose members the schema does not list, its own words say what it is. */
function renderBody(title: string, schema: Schema): string {
  const { description } = schema;
  return (
    renderSchema(title, schema) ||
    `${title}: ${typeof description === 'string' ? sentence([description]) : 'a JSON value'}.`
  );
}

function renderAnswer({ status = 200 }: Endpoint, success: Schema): string {
  const types = Object.keys(at(success, 'content'));
  if (types.length === 0) return `Answer: ${status}, no content.`;
  const schema = at(success, 'content', 'application/json', 'schema');
  return (
    renderSchema(`Answer ${status}`, schema) ||
    `Answer ${status}: ${types.map((type) => `\`${type}\``).join(' or ')}.`
  );
}

/** What has a name is written out once, at the end, and linked to. */
function renderSchemas(schemas: Schema): string {
  const parts = Object.entries(schemas).map(
    ([name, schema]) => `### ${name}\n\n${renderSchema('', schema as Schema) || 'Any JSON value.'}\n`,
  );
  return `## Schemas\n\n${parts.join('\n')}`;
}

function renderSchema(title: string, schema: Schema): string {
  const linked = withLinks(schema) as Schema;
  if (typeof linked.type === 'string' && linked.type.startsWith('[')) return `${title}: ${linked.type}.`;
  const rows = rowsOf(linked).map(({ name, depth, type, required, description, notes }) => {
    const indent = '&nbsp;&nbsp;'.repeat(depth);
    return `| ${indent}\`${name}\` | ${cell(type)}${required ? ', required' : ''} | ${sentence([description, ...notes])} |`;
  });
  if (rows.length === 0) return '';
  return `${title ? `${title}:\n\n` : ''}| member | type | |\n|---|---|---|\n${rows.join('\n')}`;
}

/** References to named schemas become types that link to them. */
function withLinks(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withLinks);
  if (typeof part !== 'object' || part === null) return part;
  const name = '$ref' in part ? String(part.$ref).replace('#/components/schemas/', '') : undefined;
  if (name !== undefined) return { type: `[${name}](#${name.toLowerCase()})` };
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withLinks(value)]));
}

/** Patterns are for machines: the OpenAPI document has them. */
function sentence(parts: readonly string[]): string {
  return cell(parts.filter((part) => part !== '' && !part.startsWith('pattern ')).join('; '));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function at(schema: Schema, ...path: readonly string[]): Schema {
  const found = path.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? (part as Schema)[key] : undefined),
    schema,
  );
  return typeof found === 'object' && found !== null ? (found as Schema) : {};
}
