import { expect, test } from 'vitest';
import { endpointsOf } from './endpoints.ts';

const http = ['streamable-http'] as const;
const sse = ['sse'] as const;
const both = ['streamable-http', 'sse'] as const;

function resolve(
  proxy_pass_url: string,
  transports: readonly ('streamable-http' | 'sse')[],
  explicit: { mcp?: string; sse?: string } = {},
) {
  const { mcp, sse } = endpointsOf({
    proxy_pass_url,
    supported_transports: [...transports],
    mcp_endpoint: explicit.mcp ?? null,
    sse_endpoint: explicit.sse ?? null,
  });
  return [mcp?.href ?? null, sse?.href ?? null];
}

test.each([
  ['http://h:1', http, 'http://h:1/mcp', null],
  ['http://h:1/', http, 'http://h:1/mcp', null],
  ['http://h:1/tools/', http, 'http://h:1/tools/mcp', null],
  ['http://h:1/mcp', http, 'http://h:1/mcp', null],
  ['http://h:1/mcp/', http, 'http://h:1/mcp/', null],
  ['http://h:1/x?key=v#part', http, 'http://h:1/x/mcp?key=v', null],
  ['http://h:1/mcpgw', http, 'http://h:1/mcpgw/mcp', null],
  ['http://h:1/mcp-server/v1', http, 'http://h:1/mcp-server/v1/mcp', null],
  ['http://h:1', sse, null, 'http://h:1/sse'],
  ['http://h:1/sse', sse, null, 'http://h:1/sse'],
  ['http://h:1/mcp', sse, null, 'http://h:1/mcp'],
  ['http://h:1/sse', http, 'http://h:1/sse', null],
  ['http://h:1', both, 'http://h:1/mcp', 'http://h:1/sse'],
  ['http://h:1/a/mcp/', both, 'http://h:1/a/mcp/', 'http://h:1/a/sse'],
  ['http://h:1/sse', both, 'http://h:1/mcp', 'http://h:1/sse'],
])('%s over %j leads to %s and %s', (base, transports, mcp, sseUrl) => {
  expect(resolve(base, transports)).toEqual([mcp, sseUrl]);
});

test('an explicit endpoint is taken as it is, also for a transport that is not listed', () => {
  expect(resolve('http://h', http, { mcp: 'https://other/x', sse: 'https://other/y' })).toEqual([
    'https://other/x',
    'https://other/y',
  ]);
});
