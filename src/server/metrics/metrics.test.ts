import { beforeEach, expect, test } from 'vitest';
import type { AuditEvent } from '../audit/event.ts';
import { createMetrics, listenForMetrics, type MeasuredServer, type Metrics } from './metrics.ts';

let servers: Map<string, MeasuredServer>;
let metrics: Metrics;

beforeEach(() => {
  servers = new Map([['time', { name: 'time', health: 'healthy', tools: [{ name: 'now' }] }]]);
  metrics = createMetrics({
    version: '1.2.3',
    servers: { find: (name) => servers.get(name), all: () => servers.values() },
    open: () => ({ calls: 1, streams: 2, upstream: { sockets: 3, calls: 4, streams: 5 } }),
    isResting: (name) => name === 'time',
    audit: () => ({ held: 6, lost: 7 }),
    trailRoom: () => ({ bytes: 8, freeBytes: null, alarm: 'size_limit' }),
    listeners: () => 8,
    daysLeft: () => new Map([['secret', 29.5]]),
  });
});

const who = { provider: 'p', subject: 's', username: 'u', clientId: null, method: 'bearer' };

function record(parts: Partial<AuditEvent>): void {
  metrics.record({
    ...{ kind: 'mcp', at: '', correlationId: '', who, clientIp: null, status: 200, durationMs: 3 },
    ...{ action: 'tools/call', resource: 'time', tool: 'now', decision: 'allow' },
    ...parts,
  } as AuditEvent);
}

async function linesWith(text: string): Promise<string[]> {
  return (await metrics.render()).split('\n').filter((line) => !line.startsWith('#') && line.includes(text));
}

test('calls are counted and timed by server, method, tool and decision', async () => {
  record({});
  record({ durationMs: 300 });
  record({ decision: 'deny' });
  const labels = 'server="time",method="tools/call",tool="now"';
  expect(await linesWith('requests_total{server')).toEqual([
    `mcp_gateway_requests_total{${labels},decision="allow"} 2`,
    `mcp_gateway_requests_total{${labels},decision="deny"} 1`,
  ]);
  expect(await linesWith('le="0.005"')).toContain(
    `mcp_gateway_request_duration_seconds_bucket{${labels},decision="allow",le="0.005"} 1`,
  );
  expect(await linesWith('duration_seconds_sum')).toContain(
    `mcp_gateway_request_duration_seconds_sum{${labels},decision="allow"} 0.303`,
  );
});

test('no client can make up series', async () => {
  for (let at = 0; at < 50; at++)
    record({ resource: `server-${at}`, action: `method-${at}`, tool: `tool-${at}`, decision: 'deny' });
  record({ tool: 'no-such-tool' });
  record({ resource: null, tool: undefined });
  expect((await linesWith('requests_total{server')).sort()).toEqual([
    'mcp_gateway_requests_total{server="other",method="other",tool="other",decision="deny"} 50',
    'mcp_gateway_requests_total{server="other",method="tools/call",tool="",decision="allow"} 1',
    'mcp_gateway_requests_total{server="time",method="tools/call",tool="other",decision="allow"} 1',
  ]);
});

test('streams are counted and not timed', async () => {
  record({ action: '$stream', tool: undefined, durationMs: 1e6 });
  expect(await linesWith('requests_total{server')).toHaveLength(1);
  expect(await linesWith('duration_seconds_count')).toEqual([]);
});

test('the series of a server that is gone go with it, and begin anew when it comes back', async () => {
  record({});
  record({ action: 'tools/list', tool: undefined });
  servers.delete('time');
  metrics.dropGone();
  metrics.dropGone();
  expect(await linesWith('"time"')).toEqual([]);
  servers.set('time', { name: 'time', health: 'unknown', tools: [{ name: 'now' }] });
  record({});
  expect(await linesWith('requests_total{server="time"')).toHaveLength(1);
});

test('callers are counted by how they were identified, or by what stood in the way', async () => {
  record({});
  record({ kind: 'api', action: 'servers.list', who: { ...who, method: 'session' } });
  record({ who: null, decision: 'deny', reason: 'credential_expired' });
  record({ who: null, decision: 'error', reason: 'constructor' });
  expect((await linesWith('auth_total')).sort()).toEqual([
    'mcp_gateway_auth_total{result="bearer"} 1',
    'mcp_gateway_auth_total{result="credential_expired"} 1',
    'mcp_gateway_auth_total{result="not_asked"} 1',
    'mcp_gateway_auth_total{result="session"} 1',
  ]);
  expect(await linesWith('api_requests_total{')).toEqual([
    'mcp_gateway_api_requests_total{endpoint="servers.list",decision="allow"} 1',
  ]);
});

test('names are escaped', async () => {
  servers.set('time', { name: 'time', health: 'healthy', tools: [{ name: 'a"\\\n' }] });
  record({ tool: 'a"\\\n' });
  expect(await linesWith('requests_total{server')).toEqual([
    'mcp_gateway_requests_total{server="time",method="tools/call",tool="a\\"\\\\\\n",decision="allow"} 1',
  ]);
});

test('what is open, held and well is read when somebody asks', async () => {
  const text = await metrics.render();
  for (const line of [
    'mcp_gateway_info{version="1.2.3"} 1',
    'mcp_gateway_calls_open 1',
    'mcp_gateway_streams_open 2',
    'mcp_gateway_upstream_sockets 3',
    'mcp_gateway_upstream_calls 4',
    'mcp_gateway_upstream_streams 5',
    'mcp_gateway_audit_queue 6',
    'mcp_gateway_audit_lost 7',
    'mcp_gateway_audit_bytes 8',
    'mcp_gateway_audit_disk_free_bytes Nan',
    'mcp_gateway_audit_alarm 1',
    'mcp_gateway_event_listeners 8',
    'mcp_gateway_provider_credential_days_left{kind="secret"} 29.5',
    'mcp_gateway_server_health{server="time",health="healthy"} 1',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  servers.set('time', { name: 'time', health: 'unhealthy', tools: [] });
  expect(await linesWith('server_health')).toEqual([
    'mcp_gateway_server_health{server="time",health="unhealthy"} 1',
  ]);
});

test('an address of its own gives the metrics and nothing else', async () => {
  const apart = await listenForMetrics(metrics, { host: '127.0.0.1', port: 0 });
  const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${apart.port}${path}`, { method });
  const answer = await at('/metrics');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toContain('mcp_gateway_info');
  expect([(await at('/')).status, (await at('/metrics', 'POST')).status]).toEqual([404, 405]);
  const taken = listenForMetrics(metrics, { host: '127.0.0.1', port: apart.port });
  await expect(taken).rejects.toThrow('METRICS_PORT');
  await apart.close();
});
