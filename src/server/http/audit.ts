import type { Context } from 'hono';
import type { Endpoint } from '../../contract/endpoint.ts';
import { auditIdentity, type Trail } from '../audit/event.ts';
import type { HttpEnv } from './env.ts';

/** What a request to an endpoint leaves in the audit trail. */
interface Served {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
  readonly started: number;
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Records a request to the API, served or refused; public endpoints leave no trace. */
export function recordRequest(
  c: Context<HttpEnv>,
  served: Served,
  world: { trail: Trail; now: () => number; clientIp: (c: Context<HttpEnv>) => string | null },
): void {
  const { endpoint } = served;
  if (endpoint.permission === 'public') return;
  const failure = c.get('failure');
  const status = failure?.status ?? endpoint.status ?? 200;
  const identity = c.get('identity');
  world.trail.record({
    kind: kindOf(served.id, endpoint),
    at: new Date(served.started).toISOString(),
    correlationId: c.get('correlationId'),
    who: identity ? auditIdentity(identity) : null,
    clientIp: world.clientIp(c),
    action: served.id,
    resource: resourceOf(served.params),
    decision: !failure ? 'allow' : failure.status < 500 ? 'deny' : 'error',
    reason: c.get('refusedBecause') ?? failure?.code,
    status,
    durationMs: world.now() - served.started,
    detail: Object.keys(served.notes).length > 0 ? served.notes : undefined,
  });
}

function resourceOf({ path, id, ...others }: Served['params']): string | null {
  const named = path ?? id ?? Object.values(others).join('/');
  return named === '' ? null : named;
}

function kindOf(id: string, endpoint: Endpoint): 'api' | 'token' | 'change' {
  if (id.startsWith('tokens.') && endpoint.method !== 'GET') return 'token';
  return endpoint.method === 'GET' || endpoint.reads ? 'api' : 'change';
}
