import type { Endpoint } from '../../../contract/endpoint.ts';
import { problem } from '../../../contract/problem.ts';
import { type FailureCode, failures } from '../../failure/errors.ts';
import type { Components, Schema } from './schemas.ts';

const media = 'application/problem+json';

/** One answer for every status of the closed table of failures, each with the codes that it may carry. */
export function problemResponses(components: Components): Record<string, Schema> {
  const { $ref } = components.schemaOf(problem, 'output');
  const codes = Object.keys(failures) as FailureCode[];
  const statuses = [...new Set(codes.map((code) => failures[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => failures[code].status === status);
      const said = own.map((code) => `\`${code}\`: ${failures[code].title}`);
      const code = { properties: { code: { enum: own } } };
      return [
        `Problem${status}`,
        {
          description: said.join('. '),
          headers: { 'X-Correlation-Id': { $ref: '#/components/headers/CorrelationId' } },
          content: { [media]: { schema: { allOf: [{ $ref }, code] } } },
        },
      ];
    }),
  );
}

/** The failures to expect of an endpoint, by status, as references to the answers above. */
export function problemsOf(endpoint: Endpoint): Record<string, Schema> {
  const { permission, params, query, body, conditional, method } = endpoint;
  const byPermission = permission !== 'public' && permission !== 'identity';
  const statuses = [
    ...(params || body ? [400] : []),
    ...(permission === 'public' ? [] : [401, 503]),
    ...(byPermission || (permission !== 'public' && method !== 'GET') ? [403] : []),
    ...(params ? [404] : []),
    ...(conditional ? [412] : []),
    ...(body ? [413, 415] : []),
    ...(params || query || body ? [422] : []),
    500,
  ];
  const sorted = statuses.sort((a, b) => a - b);
  return Object.fromEntries(
    sorted.map((status) => [String(status), { $ref: `#/components/responses/Problem${status}` }]),
  );
}
