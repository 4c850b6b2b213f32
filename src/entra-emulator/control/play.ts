import { type Ask, formOf, type Reply } from '../exchange.ts';
import type { World } from '../world.ts';

/** Plays the faults of the wire - latency, throttling, server errors - on a request; undefined lets it through. */
export async function playWire(world: World, ask: Ask): Promise<Reply | undefined> {
  const where = { path: ask.url.pathname, appId: appIdOf(ask) };
  const latency = world.faults.take('latency', where);
  if (latency)
    await Promise.race([world.pause(Number(latency.milliseconds ?? 0)), world.faults.untilRemoved(latency)]);
  const throttle = world.faults.take('throttle', where);
  if (throttle) return throttled(ask, Number(throttle.retryAfterSeconds ?? 10));
  const failure = world.faults.take('status', where);
  if (failure) return broken(ask, Number(failure.status ?? 503), failure.retryAfterSeconds);
  return undefined;
}

function isGraph(ask: Ask): boolean {
  return ask.url.pathname.startsWith('/graph/');
}

function throttled(ask: Ask, seconds: number): Reply {
  const error = isGraph(ask)
    ? { error: { code: 'TooManyRequests', message: 'Too many requests.', innerError: { code: '429' } } }
    : { error: 'temporarily_unavailable', error_description: 'Too many requests.', error_codes: [] };
  return { status: 429, headers: { 'retry-after': String(seconds) }, body: error };
}

function broken(ask: Ask, status: number, retryAfter: unknown): Reply {
  const codes: Record<number, string> = {
    500: 'InternalServerError',
    502: 'BadGateway',
    503: 'ServiceUnavailable',
    504: 'GatewayTimeout',
  };
  const body = isGraph(ask)
    ? { error: { code: codes[status] ?? 'UnknownError', message: 'The service is not available.' } }
    : { error: 'temporarily_unavailable', error_description: 'The service is not available.' };
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { status, headers, body };
}

/** The client a request says it is from: by its form, its query or its token (not verified). */
function appIdOf(ask: Ask): string | undefined {
  const named = formOf(ask).values.client_id ?? ask.url.searchParams.get('client_id');
  if (named) return named;
  const [, payload] = /^bearer [^.]+\.([^.]+)\./i.exec(ask.headers.authorization ?? '') ?? [];
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    const { appid, azp } = claims as { appid?: string; azp?: string };
    return appid ?? azp;
  } catch {
    return undefined;
  }
}
