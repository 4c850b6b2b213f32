import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { normalizePath } from './servers.ts';

const open = { method: 'GET', permission: 'public' } as const;
const remote = z.object({ type: z.enum(['streamable-http', 'sse']), url: z.string() });

/** The documents by which programs find what is here, each for everybody or not there at all (WELL_KNOWN_SERVERS). */
export const wellKnownEndpoints = {
  'wellKnown.servers': {
    ...open,
    path: '/.well-known/mcp-servers',
    summary: 'The servers that WELL_KNOWN_SERVERS makes public',
    output: z.object({
      servers: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          description: z.string(),
          mcp: z.object({ transport: z.enum(['streamable-http', 'sse']), url: z.string() }),
          /** Where to learn how to sign in (RFC 9728). */
          authentication: z.object({ type: z.literal('oauth2'), resource_metadata: z.string() }),
          tags: z.array(z.string()),
        }),
      ),
      _meta: z.object({ registry: z.string(), updated_at: z.string() }),
    }),
  },
  'wellKnown.catalog': {
    ...open,
    path: '/.well-known/mcp/catalog.json',
    summary: 'The public servers as a catalog of server cards (SEP-2127, a draft)',
    output: z.object({
      specVersion: z.literal('draft'),
      entries: z.array(
        z.object({ identifier: z.string(), displayName: z.string(), type: z.string(), url: z.string() }),
      ),
    }),
  },
  'wellKnown.card': {
    ...open,
    path: '/.well-known/mcp/server-cards/{path}',
    summary: 'The card of one public server (SEP-2127, a draft)',
    params: z.object({ path: z.string().max(400).transform(normalizePath) }),
    output: z.object({
      $schema: z.string(),
      name: z.string(),
      version: z.string(),
      title: z.string(),
      description: z.string(),
      remotes: z.array(remote),
    }),
  },
  'wellKnown.agentCard': {
    ...open,
    path: '/.well-known/agent-card.json',
    summary: 'The A2A card of the gateway itself: an agent that finds tools and agents',
    output: z.record(z.string(), z.unknown()),
  },
  'wellKnown.a2a': {
    method: 'POST',
    path: '/api/a2a',
    permission: 'identity',
    summary:
      'The gateway as an A2A agent (JSON-RPC, 1.0 and 0.3): a message is a query, the reply is what was found',
    body: z.looseObject({
      jsonrpc: z.literal('2.0'),
      id: z.union([z.string().max(200), z.number(), z.null()]).optional(),
      method: z.string().max(100),
      params: z.unknown(),
    }),
    output: z.record(z.string(), z.unknown()),
  },
} as const satisfies Endpoints;
