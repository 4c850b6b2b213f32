import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Connect, Driver } from './driver.ts';

const info = { name: 'typescript', version: '1' };

/** What both generations of the SDK's client can do alike. */
type AnyClient = Pick<ClientV1, 'listTools' | 'listPrompts' | 'listResources' | 'callTool' | 'close'>;

/** A TypeScript SDK of this repository's own dependencies; test/oauth-sdk.test.ts signs in with them. */
export function typescriptDriver(generation: 1 | 2): Driver {
  return driverOf(async ({ url, era, transport, token }) => {
    const asked = { requestInit: { headers: { authorization: `Bearer ${token}` } } };
    if (generation === 1) {
      const client = new ClientV1(info);
      const Transport = transport === 'sse' ? SSEClientTransport : TransportV1;
      await client.connect(new Transport(new URL(url), asked) as never);
      return client;
    }
    const mode = era === '2026-07-28' ? { pin: era } : ('legacy' as const);
    const client = new ClientV2(info, { versionNegotiation: { mode } });
    await client.connect(new TransportV2(new URL(url), asked));
    return client as unknown as AnyClient;
  });
}

/** A program that speaks MCP on its standard streams and passes it on, such as mcp-remote. */
export function stdioDriver(start: (how: Connect) => {
  command: string;
  args: string[];
  env: Record<string, string>;
}): Driver {
  return driverOf(async (how) => {
    const client = new ClientV1(info);
    await client.connect(new StdioClientTransport({ ...start(how), stderr: 'ignore' }));
    return client;
  });
}

function driverOf(open: (how: Connect) => Promise<AnyClient>): Driver {
  let client: AnyClient | undefined;
  const connected = (): AnyClient => {
    if (!client) throw new Error('not connected');
    return client;
  };
  const close = async () => client?.close();
  return {
    async connect(how) {
      client = await open(how);
    },
    async list() {
      const [{ tools }, { prompts }, { resources }] = [
        await connected().listTools(),
        await connected().listPrompts(),
        await connected().listResources(),
      ];
      return {
        tools: tools.map(({ name }) => name),
        prompts: prompts.map(({ name }) => name),
        resources: resources.map(({ uri }) => uri),
      };
    },
    async call(name, args = {}) {
      const { content } = await connected().callTool({ name, arguments: { ...args } });
      return (content as { text?: string }[]).map(({ text = '' }) => text).join(' ');
    },
    age: async () => undefined,
    close,
    end: close,
  };
}
