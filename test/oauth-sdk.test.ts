import {
  auth as authV2,
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './harness.ts';
import { consent, openBrowser, redirectUri } from './oauth-client.ts';
import { signIn } from './sign-in.ts';

let gateway: TestGateway;
let clock: URL;

beforeAll(async () => {
  gateway = await startGateway();
  clock = new URL(`${gateway.url}/currenttime/mcp`);
});
afterAll(() => gateway?.close());

/** Who sits at the browser; bob may call nothing in the evaluation's scopes. */
const person = 'alice@contoso.example';

/** What a client program keeps, with somebody at its browser. */
function newProgram() {
  const kept: Record<string, unknown> = {};
  let code = '';
  let sentTo = 0;
  const provider = {
    redirectUrl: redirectUri,
    clientMetadata: {
      client_name: 'SDK',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client as never,
    saveClientInformation(client: unknown) {
      kept.client = client;
    },
    tokens: () => kept.tokens as never,
    saveTokens(tokens: unknown) {
      kept.tokens = tokens;
    },
    saveCodeVerifier(verifier: string) {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier as string,
    async redirectToAuthorization(url: URL) {
      sentTo += 1;
      const answer = await consent(openBrowser(), url, { as: person });
      expect(answer.searchParams.get('iss')).toBe(gateway.url);
      code = answer.searchParams.get('code') ?? '';
    },
    invalidateCredentials(scope: string) {
      if (scope === 'all' || scope === 'client') delete kept.client;
      if (scope !== 'client') delete kept.tokens;
    },
  };
  return { provider, kept, code: () => code, sentTo: () => sentTo };
}

type Program = ReturnType<typeof newProgram>;

/** Connects as a program does: it is refused, signs in, and connects again. */
const sdks = {
  'SDK 1': async ({ provider, code }: Program) => {
    const open = () => new TransportV1(clock, { authProvider: provider });
    let transport = open();
    const connect = () => {
      const client = new ClientV1({ name: 'v1', version: '1' });
      return client.connect(transport as never).then(() => client);
    };
    return connect().catch(async () => {
      await transport.finishAuth(code());
      transport = open();
      return connect();
    });
  },
  'SDK 2': async ({ provider, code }: Program) => {
    const open = () => new TransportV2(clock, { authProvider: provider });
    let transport = open();
    const connect = () => {
      const client = new ClientV2({ name: 'v2', version: '1' });
      return client.connect(transport).then(() => client);
    };
    return connect().catch(async () => {
      const done = await authV2(provider, {
        serverUrl: clock,
        authorizationCode: code(),
        iss: gateway.url,
      } as never);
      expect(done).toBe('AUTHORIZED');
      transport = open();
      return connect();
    });
  },
} as const;

describe.each(Object.entries(sdks))('%s', (_, connect) => {
  test('signs in, lists and calls, refreshes by itself, and signs in again after it was ended', async () => {
    const program = newProgram();
    const client = await connect(program);
    const { tools } = await client.listTools();
    const [tool] = tools;
    const said = await client.callTool({ name: tool?.name ?? '', arguments: {} });
    expect(said.content).toBeDefined();
    await client.close();

    // An access token that is over: the refresh token brings the next, without the person.
    const before = program.kept.tokens as { access_token: string; refresh_token: string };
    program.kept.tokens = { ...before, access_token: `${before.access_token.slice(0, -4)}AAAA` };
    await (await connect(program)).close();
    const after = program.kept.tokens as typeof before;
    expect(after.refresh_token).not.toBe(before.refresh_token);
    expect(program.sentTo()).toBe(1);

    const session = await signIn(gateway.url, person);
    const headers = { cookie: session.cookie, 'x-csrf-token': session.csrf };
    const list = await fetch(`${gateway.url}/api/connected-clients`, { headers });
    const { connected_clients } = (await list.json()) as { connected_clients: { id: string }[] };
    for (const { id } of connected_clients)
      await fetch(`${gateway.url}/api/connected-clients/${id}`, { method: 'DELETE', headers });
    await expect
      .poll(async () => {
        const authorization = `Bearer ${after.access_token}`;
        return (await fetch(clock, { method: 'POST', headers: { authorization }, body: '{}' })).status;
      })
      .toBe(401);
    await (await connect(program)).close();
    expect(program.sentTo()).toBe(2);
  });
});
