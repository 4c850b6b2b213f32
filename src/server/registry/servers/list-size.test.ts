import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { listedServer, serverInput } from '../../../contract/servers/servers.ts';
import { present } from './present.ts';
import type { ServerRow } from './store.ts';

const words =
  'search find open close tickets invoices weather maps time zones people mail calendar files'.split(' ');
const pick = (seed: number, n: number): string =>
  Array.from({ length: n }, (_, index) => words[(seed * 7 + index * 5) % words.length]).join(' ');

function row(n: number): ServerRow {
  const at = new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString();
  return {
    id: `${String(n).padStart(8, '0')}-0000-4000-8000-${(n * 7919).toString(16).padStart(12, '0')}`,
    path: `/team-${n % 17}/server-${n}`,
    definition: serverInput.parse({
      ...{ server_name: `${pick(n, 2)} ${n}`, path: `/team-${n % 17}/server-${n}` },
      ...{ proxy_pass_url: `https://server-${n}.internal.example.com/mcp`, description: pick(n, 30) },
      ...{ tags: pick(n, 4).split(' '), metadata: { category: pick(n, 1), owner: `team-${n % 17}` } },
    }),
    isEnabled: true,
    health: {
      status: 'healthy',
      detail: null,
      checkedAt: at,
      serverVersion: '1.2.3',
      protocolVersion: '2025-11-25',
    },
    tools: {
      fetchedAt: at,
      tools: Array.from({ length: 30 }, (_, index) => ({
        name: `tool-${index}`,
        inputSchema: { type: 'object' },
      })),
    },
    ...{ registeredBy: `person-${n % 9}@example.com`, owner: null, registeredAt: at, updatedAt: at },
    ...{ revision: 3, credential: null, egress: null },
  };
}

test('the list of 200 servers with tools is 60 KB compressed at most', () => {
  const access = {
    scopes: [],
    isAdmin: true,
    permissions: new Map(),
    servers: 'all',
    may: () => true,
  } as const;
  const servers = Array.from({ length: 200 }, (_, n) =>
    listedServer.parse(
      present(row(n), { access, publicUrl: 'https://gateway.example.com', mayCall: () => true }),
    ),
  );
  const bytes = gzipSync(JSON.stringify({ servers, total_count: 200, limit: 2000, offset: 0 }), {
    level: 1,
  }).length;
  console.log(`200 servers: ${(bytes / 1000).toFixed(1)} KB compressed`);
  expect(servers[0]?.num_tools).toBe(30);
  expect(bytes).toBeLessThanOrEqual(60_000);
});
