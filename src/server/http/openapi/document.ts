import type { Endpoint, Endpoints } from '../../../contract/endpoint.ts';
import { entityOf, operationOf } from './operation.ts';
import { problemResponses } from './problems.ts';
import { createComponents, type Schema } from './schemas.ts';

/** What the document says about the gateway that serves it. */
export interface Described {
  readonly version: string;
  /** The public URL. */
  readonly url: string;
  /** The name of the session's cookie. */
  readonly cookie: string;
}

/** The table of endpoints as an OpenAPI 3.1 document. */
export function openApi(endpoints: Endpoints, { version, url, cookie }: Described): Schema {
  const components = createComponents();
  const rows = Object.entries(endpoints);
  const revised = new Set(rows.filter(([, row]) => row.conditional).map(([, row]) => row.path));
  const paths: Record<string, Record<string, Schema>> = {};
  for (const [id, row] of rows) {
    const methods = paths[row.path] ?? {};
    methods[row.method.toLowerCase()] = operationOf(id, row, components, isTagged(row, revised));
    paths[row.path] = methods;
  }
  const responses = problemResponses(components);
  return {
    openapi: '3.1.1',
    info: {
      title: 'MCP Gateway & Registry',
      version,
      description: introduction,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    tags: [...new Set(rows.map(([id]) => entityOf(id)))].map((name) => ({ name })),
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: components.schemas,
      responses,
      parameters,
      headers,
      securitySchemes: securitySchemes(cookie),
    },
  };
}

/** What may be changed on condition is also shown with the tag that the condition needs. */
function isTagged({ conditional, method, path, status }: Endpoint, revised: ReadonlySet<string>): boolean {
  return status !== 204 && (conditional === true || (method === 'GET' && revised.has(path)));
}

const introduction =
  'The control plane: the registry and what is around it. MCP itself is served under `/{server path}/mcp` and described ' +
  'by the protocol. Every operation says in `x-permission` who may call it. Lists are paged by `limit` and `offset`, or ' +
  'by `limit` and an opaque `cursor`. Failures are problem documents (RFC 9457) with a stable `code`.';

const parameters = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description:
      'The ETag of the state that the change is meant for; without it the change applies to whatever is there.',
    schema: { type: 'string' },
  },
};

const headers = {
  CorrelationId: {
    description: 'The id of this request in the log and in the audit trail.',
    schema: { type: 'string' },
  },
  ETag: { description: 'The revision, for If-Match.', schema: { type: 'string' } },
};

function securitySchemes(cookie: string): Schema {
  return {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'An access token of the identity provider, or a personal token.',
    },
    session: { type: 'apiKey', in: 'cookie', name: cookie, description: 'The session of a browser.' },
    csrf: {
      type: 'apiKey',
      in: 'header',
      name: 'X-CSRF-Token',
      description: 'With every change in a browser session; `GET /api/auth/me` returns it.',
    },
  };
}
