import { describe, expect, test } from 'vitest';
import { clients, setupOf, signsIn, tokenVariable } from './connect-clients.ts';

const target = {
  server_name: 'Current "time" & more',
  description: "It's\n- not: yaml",
  path: '/team/time.v2',
  endpoint_url: 'https://gateway.example/team/time.v2/mcp',
  forward_authorization: false,
};
const sse = { ...target, endpoint_url: 'https://gateway.example/team/time.v2/sse' };

describe.each(clients)('%s', (client) => {
  test('a link never holds the token, the text does', () => {
    const { link = '', text } = setupOf(client, target, 'secret.token');
    expect(text).toContain('secret.token');
    expect(text).toContain(target.endpoint_url);
    expect(decodeURIComponent(link)).not.toContain('secret.token');
    expect(link).not.toContain(btoa('secret.token').slice(0, 12));
  });

  test('without a token it names the place where one is found', () => {
    expect(setupOf(client, target, null).text).toMatch(/MCP_GATEWAY_TOKEN|input:mcp-gateway-token/);
  });
});

test.each(clients)('%s signs in by itself with nothing but the URL, where it can', (client) => {
  const { text, link = '' } = setupOf(client, target, 'sign-in');
  expect(text).toContain(target.endpoint_url);
  const said = `${text} ${decodeURIComponent(link)}`;
  if (signsIn(client, target)) expect(said).not.toMatch(/bearer|MCP_GATEWAY_TOKEN|mcp-gateway-token/i);
  else expect(text).toContain('MCP_GATEWAY_TOKEN');
  expect(setupOf(client, { ...target, forward_authorization: true }, 'sign-in').text).toContain(
    'X-Authorization',
  );
});

test('VS Code gets its own form, and a link that asks for the token', () => {
  const { link = '', text } = setupOf('VS Code', target, null);
  const { servers } = JSON.parse(text);
  expect(servers['team-time-v2']).toMatchObject({ type: 'http', url: target.endpoint_url });
  const asked = JSON.parse(decodeURIComponent(link.replace('vscode:mcp/install?', '')));
  expect(asked).toMatchObject({
    name: 'team-time-v2',
    url: target.endpoint_url,
    inputs: [{ password: true }],
  });
});

test('the link for Cursor carries the configuration in base64', () => {
  const link = new URL(setupOf('Cursor', target, null).link ?? '');
  expect(link.protocol).toBe('cursor:');
  expect(JSON.parse(atob(link.searchParams.get('config') ?? ''))).toEqual({
    url: target.endpoint_url,
    headers: { Authorization: `Bearer \${env:${tokenVariable}}` },
  });
});

test.each(['VS Code', 'Claude Code', 'Goose', 'Roo Code', 'curl'] as const)('%s is told of SSE', (client) => {
  expect(setupOf(client, sse, null).text).toMatch(/sse|event-stream/);
});

test('a server that gets the client’s own Authorization is reached with the other header', () => {
  for (const client of clients)
    expect(setupOf(client, { ...target, forward_authorization: true }, null).text).toContain(
      'X-Authorization',
    );
});

test('names with quotes and line breaks stay inside their strings', () => {
  const { text } = setupOf('Goose', target, null);
  expect(text).toContain('name: "Current \\"time\\" & more"');
  expect(text).toContain('description: "It\'s\\n- not: yaml"');
});
