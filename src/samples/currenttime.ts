import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { localhostHostValidation, toNodeHandler } from '@modelcontextprotocol/node';
import { type CallToolResult, createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** The date and time in a time zone, as `2026-11-23 20:15:03 GMT+01:00 (Europe/Berlin)`; undefined when there is no such zone. */
function localTime(at: number, zone: string): string | undefined {
  // Intl also takes offsets such as +01:00, which name no zone.
  if (!/^[A-Za-z]/.test(zone)) return undefined;
  try {
    const parts = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
      .formatToParts(at)
      .find((part) => part.type === 'timeZoneName');
    // Some versions of ICU write the zero offset as plain GMT.
    const written = offset?.value === 'GMT' ? 'GMT+00:00' : offset?.value;
    return `${parts.format(at)} ${written} (${parts.resolvedOptions().timeZone})`;
  } catch {
    return undefined;
  }
}

/** Up to three zones whose city is `name`, or whose name contains it. */
function nearestZones(name: string): string[] {
  const wanted = name.trim().toLowerCase().replaceAll(' ', '_');
  if (wanted.length < 3) return [];
  const zones = Intl.supportedValuesOf('timeZone');
  const cities = zones.filter((zone) => zone.toLowerCase().endsWith(`/${wanted}`));
  return (cities.length > 0 ? cities : zones.filter((zone) => zone.toLowerCase().includes(wanted))).slice(
    0,
    3,
  );
}

/** A sample server that runs. */
export interface RunningSample {
  /** Its MCP endpoint. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts the sample MCP server `currenttime` on loopback: two tools, no sessions, protocol 2026-07-28 with the older ones
 * answered too. Port 0 takes a free one.
 */
export async function startCurrentTime(
  options: { port?: number; host?: string; now?: () => number } = {},
): Promise<RunningSample> {
  const { port = 0, host = '127.0.0.1', now = Date.now } = options;
  const mcp = createMcpHandler(() => currentTime(now));
  const handle = toNodeHandler(mcp);
  const isLocalHost = localhostHostValidation();
  const http = createServer((req, res) => {
    // A web page that made its name point here (DNS rebinding) still sends its own name.
    if (!isLocalHost(req, res)) return;
    if (new URL(req.url ?? '/', 'http://localhost').pathname === '/mcp') void handle(req, res);
    else res.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, resolve);
  });
  const bound = (http.address() as AddressInfo).port;
  return {
    url: `http://${host}:${bound}/mcp`,
    port: bound,
    async close() {
      await mcp.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function currentTime(now: () => number): McpServer {
  const server = new McpServer({ name: 'currenttime', version: '1.0.0' });
  server.registerTool(
    'current_time_by_timezone',
    {
      title: 'Current time in a time zone',
      description: 'Tells the current date and time in a time zone.',
      inputSchema: z.object({
        tz_name: z.string().default('UTC').describe('IANA name of the time zone, such as Europe/Berlin'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ tz_name }) => tellTime(now(), tz_name),
  );
  server.registerTool(
    'countdown',
    {
      title: 'Countdown',
      description: 'Counts down to zero, reports each step as progress, and then says that it is done.',
      inputSchema: z.object({
        count: z.number().int().min(1).max(20).default(5).describe('How many steps'),
        interval_ms: z.number().int().min(0).max(1000).default(200).describe('Milliseconds between steps'),
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ count, interval_ms }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let step = 1; step <= count; step++) {
        await wait(interval_ms, undefined, { signal: mcpReq.signal });
        if (progressToken === undefined) continue;
        const params = { progressToken, progress: step, total: count, message: `${count - step}` };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      return says(`Counted down from ${count}.`);
    },
  );
  return server;
}

function tellTime(at: number, zone: string): CallToolResult {
  const local = localTime(at, zone);
  if (local) return says(local);
  const near = nearestZones(zone);
  const hint =
    near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ' Use a name such as Europe/Berlin or UTC.';
  return { ...says(`'${zone.slice(0, 100)}' is not the IANA name of a time zone.${hint}`), isError: true };
}

function says(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}
