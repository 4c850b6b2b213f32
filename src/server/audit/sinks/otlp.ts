import type { Fetch } from '../../net/outbound.ts';
import type { AuditEvent, Sink } from '../event.ts';

/** Where spans go, by the standard settings of OpenTelemetry. */
export interface OtlpWorld {
  /** The collector's URL for traces: `<endpoint>/v1/traces`. */
  readonly url: string;
  /** Sent with every request, such as an API key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  readonly fetch: Fetch;
  readonly log: { warn(facts: object, message: string): void };
}

/**
 * Exports each MCP call as a span, in the JSON form of OTLP 1.x over HTTP. Spans are news, not the record: what the
 * collector does not take is dropped, said once until it takes some again, and never held against the other sinks.
 */
export function otlpSink(world: OtlpWorld): Sink {
  let failing = false;
  const failed = (facts: object): void => {
    if (!failing)
      world.log.warn(facts, 'traces cannot be exported and are dropped until the collector takes them again');
    failing = true;
  };
  return {
    name: 'otlp',
    async write(events) {
      const calls = events.filter(({ kind }) => kind === 'mcp');
      if (calls.length === 0) return;
      try {
        const answer = await world.fetch(world.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...world.headers },
          body: JSON.stringify(exportOf(calls, world)),
        });
        await answer.body?.cancel();
        if (answer.ok) failing = false;
        else failed({ status: answer.status });
      } catch (error) {
        failed({ err: error });
      }
    },
  };
}

function exportOf(events: readonly AuditEvent[], { serviceName, version }: OtlpWorld): object {
  const resource = attributes({ 'service.name': serviceName, 'service.version': version });
  const scope = { name: 'mcp-gateway-registry', version };
  return {
    resourceSpans: [
      { resource: { attributes: resource }, scopeSpans: [{ scope, spans: events.map(spanOf) }] },
    ],
  };
}

/** `SPAN_KIND_SERVER` and the two ends of `Status.code`, as numbers, which OTLP's JSON wants. */
const [server, unset, error] = [2, 0, 2];

/**
 * Ids are those that went to the server: a trace that the gateway began has the correlation id, its span the second half
 * of it; in a client's trace the span is the client's child, with the second half of the correlation id.
 */
function spanOf(event: AuditEvent): object {
  const own = event.correlationId.replaceAll('-', '');
  const { trace_id: traceId, parent_span_id: parent } = event.detail ?? {};
  const started = BigInt(Date.parse(event.at)) * 1_000_000n;
  const lasted = Date.parse(event.repeated?.lastAt ?? event.at) - Date.parse(event.at) + event.durationMs;
  return {
    traceId: typeof traceId === 'string' ? traceId : own,
    spanId: own.slice(16),
    ...(typeof parent === 'string' ? { parentSpanId: parent } : {}),
    name: [event.action, event.tool].filter(Boolean).join(' '),
    kind: server,
    startTimeUnixNano: String(started),
    endTimeUnixNano: String(started + BigInt(Math.round(lasted * 1e6))),
    attributes: attributes({
      'mcp.method.name': event.action,
      'gen_ai.tool.name': event.tool,
      'mcp.server.name': event.resource,
      'http.response.status_code': event.status,
      'mcp_gateway.decision': event.decision,
      'mcp_gateway.reason': event.reason,
      'mcp_gateway.count': event.repeated?.count,
      'mcp_gateway.correlation_id': event.correlationId,
    }),
    status: { code: event.status >= 500 || event.status === 0 ? error : unset },
  };
}

function attributes(values: Readonly<Record<string, string | number | null | undefined>>): object[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === null || value === undefined) return [];
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }];
  });
}
