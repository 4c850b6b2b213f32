import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OpenDatabase, openDatabase } from '../../db/open.ts';
import { fileIn, openFile } from '../../db/sqlite/file.ts';
import type { AuditEvent, Sink } from '../event.ts';
import { databaseSink } from './database.ts';

const event = (action: string, at = '2026-01-01T00:00:00.000Z'): AuditEvent => ({
  kind: 'mcp',
  at,
  correlationId: 'c',
  who: { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' },
  clientIp: '127.0.0.1',
  action,
  resource: 'currenttime',
  tool: 'now',
  decision: 'deny',
  reason: 'no grant',
  status: 403,
  durationMs: 1.5,
  detail: { rule: 'deny' },
});

let directory: string;
let open: OpenDatabase;
let sink: Sink | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
  open = await openDatabase(directory);
});
afterEach(async () => {
  await sink?.close?.();
  await open.close();
  rmSync(directory, { recursive: true });
});

async function actions(): Promise<string[]> {
  const rows = await open.db.selectFrom('audit_events').select('action').orderBy('id').execute();
  return rows.map(({ action }) => action);
}

test('a written event can be read by everybody, with all that it says', async () => {
  sink = databaseSink(directory);
  await sink.write([event('tools/call')]);
  expect(await open.db.selectFrom('audit_events').selectAll().execute()).toEqual([
    {
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      at: '2026-01-01T00:00:00.000Z',
      kind: 'mcp',
      correlation_id: 'c',
      provider: 'entra',
      subject: 's',
      username: 'alice',
      client_id: null,
      auth_method: 'bearer',
      credential_id: null,
      client_ip: '127.0.0.1',
      action: 'tools/call',
      resource: 'currenttime',
      tool: 'now',
      decision: 'deny',
      reason: 'no grant',
      status: 403,
      duration_ms: 1.5,
      count: 1,
      last_at: null,
      detail: '{"rule":"deny"}',
    },
  ]);
});

test('what one writes here and another there is all kept, each in its order', async () => {
  sink = databaseSink(directory);
  const numbers = Array.from({ length: 600 }, (_, at) => `call-${at}`);
  for (let from = 0; from < 600; from += 100) {
    await open.db.deleteFrom('scopes').execute();
    await sink.write(numbers.slice(from, from + 100).map((action) => event(action)));
  }
  expect(await actions()).toEqual(numbers);
});

test('a batch that cannot be written is refused whole, and can be offered again', async () => {
  sink = databaseSink(directory);
  const other = openFile(fileIn(directory));
  other.exec('ALTER TABLE audit_events RENAME TO elsewhere');
  await expect(sink.write([event('one')])).rejects.toThrow('no such table');
  other.exec('ALTER TABLE elsewhere RENAME TO audit_events');
  other.close();
  await sink.write([event('one'), event('two')]);
  expect(await actions()).toEqual(['one', 'two']);
});

test('a thread that dies after it wrote and before it said so leaves every event once', async () => {
  const marker = join(directory, 'dies');
  const module = join(directory, 'thread.mjs');
  writeFileSync(marker, '');
  const real = new URL('database-thread.ts', import.meta.url).href;
  writeFileSync(
    module,
    `import { existsSync, rmSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    const say = parentPort.postMessage.bind(parentPort);
    parentPort.postMessage = (message) => {
      if (!existsSync(${JSON.stringify(marker)})) return say(message);
      rmSync(${JSON.stringify(marker)});
      process.exit(1);
    };
    await import(${JSON.stringify(real)});`,
  );
  sink = databaseSink(directory, pathToFileURL(module));
  await expect(sink.write([event('one'), event('two')])).rejects.toThrow('ended with code 1');
  expect(await actions()).toEqual(['one', 'two']);
  await sink.write([event('one'), event('two'), event('three')]);
  expect(await actions()).toEqual(['one', 'two', 'three']);
});
