import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** What a call comes to. */
export interface Answer {
  readonly result?: { readonly content: readonly { readonly text: string }[] };
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string };
  };
}

/** The answer to a call of the tool that says who calls. */
export async function callWhoami(at: string, token: string): Promise<Answer> {
  const answer = await fetch(at, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } }),
  });
  return (await answer.json()) as Answer;
}

/** A client of either generation of the SDK at a server; `open` is how it shows addresses to people, if it does. */
export async function clientAt(
  at: string,
  token: string,
  isModern: boolean,
  open?: (url: string) => Promise<void>,
) {
  const url = new URL(at);
  const asked = { requestInit: { headers: { authorization: `Bearer ${token}` } } };
  const info = { name: 'client', version: '1' };
  const capabilities = open ? { elicitation: { url: {} } } : {};
  if (!isModern) {
    const client = new ClientV1(info, { capabilities });
    await client.connect(new TransportV1(url, asked) as never);
    return client;
  }
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } });
  if (open)
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      await open((params as { url: string }).url);
      return { action: 'accept' as const };
    });
  await client.connect(new TransportV2(url, asked));
  return client as unknown as ClientV1;
}
