import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { Target } from '../gateway/route.ts';
import { askMember, type Emits, type MemberWorld, memberHeaders } from './member.ts';
import { type JsonObject, objectIn } from './wire.ts';

/** A connection to a member that speaks HTTP+SSE of 2024-11-05: requests are posted, everything else comes on one stream. */
export interface SseLink {
  /** Makes a call; returns the id by which it can be cancelled. */
  call(method: string, params: JsonObject, emits: Emits): number;
  /** Posts a notification or a response. */
  send(message: JsonObject): void;
  cancel(id: number): void;
}

/** How long a link stays open on which nothing is under way, in milliseconds. */
const idleMs = 60_000;
/** How long the address for messages and the answer to `initialize` are waited for. */
const openMs = 15_000;

/** Opens links, one for each owner and member at a time; an owner is a session, or an identity with its capabilities. */
export function createSseLinks(world: MemberWorld) {
  const links = new Map<string, { readonly target: Target; readonly link: Promise<SseLink> }>();
  return (
    owner: string,
    exchange: Exchange,
    target: Target,
    client: { capabilities: JsonObject; client: JsonObject },
  ): Promise<SseLink> => {
    const key = `${owner} ${target.server}`;
    const known = links.get(key);
    // Another address or credential is another connection; the one before ends when it is idle.
    if (known?.target === target) return known.link;
    const forget = (): void => {
      if (links.get(key)?.link === opening) links.delete(key);
    };
    const opening = openLink(world, exchange, target, client, forget);
    links.set(key, { target, link: opening });
    opening.catch(forget);
    return opening;
  };
}

async function openLink(
  world: MemberWorld,
  exchange: Exchange,
  target: Target,
  { capabilities, client }: { capabilities: JsonObject; client: JsonObject },
  closed: () => void,
): Promise<SseLink> {
  // The link outlives the request that opened it.
  const about = { req: { headers: {} } as Exchange['req'], id: exchange.id, trace: exchange.trace };
  const headers = memberHeaders(about, target, []);
  /** Calls under way, with the tokens by which their callers know progress: on the shared stream it is the call's number. */
  const pending = new Map<number, { readonly emits: Emits; readonly token: unknown }>();
  let [last, to, over]: [number, Target | undefined, boolean] = [0, undefined, false];
  let idle: NodeJS.Timeout | undefined;
  let arrived: ((address: Target) => void) | undefined;
  let failed: ((failure: Failure) => void) | undefined;
  const close = (failure: Failure): void => {
    if (over) return;
    over = true;
    clearTimeout(idle);
    closed();
    abort();
    failed?.(failure);
    for (const { emits } of pending.values()) emits.failed(failure);
    pending.clear();
  };
  const rest = (): void => {
    clearTimeout(idle);
    if (pending.size === 0)
      idle = setTimeout(() => close(new Failure('upstream_unreachable', 'idle')), idleMs).unref();
  };
  const post = (message: JsonObject, failed: (failure: Failure) => void): void => {
    if (!to || over) {
      failed(new Failure('upstream_unreachable', 'The server ended its stream.'));
      return;
    }
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    askMember(
      world,
      to,
      { method: 'POST', headers, body },
      { onMessage() {}, onEnd: (bad) => bad && failed(bad) },
    );
  };
  const progress = (message: JsonObject): void => {
    const params = objectIn(message, 'params');
    const call = pending.get(Number(params.progressToken));
    if (call?.token !== undefined)
      call.emits.notification({ ...message, params: { ...params, progressToken: call.token } });
  };
  const abort = askMember(
    world,
    target,
    { method: 'GET', headers, longLived: true, wait: { ms: openMs } },
    {
      onEvent(type, data) {
        if (type !== 'endpoint') return;
        const base = new URL(target.path, target.origin);
        const address = URL.canParse(data, base.href) ? new URL(data, base.href) : undefined;
        // Clients must refuse another origin too, and the credential is for this one.
        if (address?.origin !== target.origin)
          return close(
            new Failure('upstream_invalid', 'The server takes messages at an origin other than its own.'),
          );
        arrived?.({ ...target, path: address.pathname + address.search });
      },
      onMessage(message) {
        const { id, method } = message;
        if (typeof method === 'string') {
          if (method === 'notifications/progress') return progress(message);
          // The transport does not say which call a message belongs to: the latest one is asked.
          const emits = [...pending.values()].at(-1)?.emits;
          if (id === undefined) emits?.notification(message);
          else if (method === 'ping' || !emits) post({ id, result: {} }, close);
          else emits.request(JSON.stringify(id), method, objectIn(message, 'params'));
          return;
        }
        const call = pending.get(Number(id));
        pending.delete(Number(id));
        rest();
        call?.emits.response(message);
      },
      onEnd: (failure) =>
        close(failure ?? new Failure('upstream_unreachable', 'The server ended its stream.')),
    },
  );
  const link: SseLink = {
    call(method, params, emits) {
      last += 1;
      const id = last;
      clearTimeout(idle);
      const _meta = objectIn(params, '_meta');
      const { progressToken: token } = _meta;
      pending.set(id, { emits, token });
      const numbered = token === undefined ? params : { ...params, _meta: { ..._meta, progressToken: id } };
      post({ id, method, params: numbered }, (failure) => pending.delete(id) && emits.failed(failure));
      return id;
    },
    send: (message) => post(message, () => undefined),
    cancel(id) {
      if (!pending.delete(id)) return;
      link.send({
        method: 'notifications/cancelled',
        params: { requestId: id, reason: 'The client disconnected.' },
      });
      rest();
    },
  };
  await within(
    openMs,
    close,
    new Promise<void>((resolve, reject) => {
      failed = reject;
      arrived = (address) => {
        to = address;
        resolve();
      };
    }),
  );
  const params = {
    protocolVersion: '2024-11-05',
    capabilities,
    clientInfo: { name: 'client', version: '0', ...client },
  };
  await within(
    openMs,
    close,
    new Promise<void>((resolve, reject) => {
      link.call('initialize', params, {
        notification() {},
        request() {},
        response: (message) =>
          'result' in message
            ? resolve()
            : reject(new Failure('upstream_invalid', 'The server does not accept initialize.')),
        failed: reject,
      });
    }),
  );
  link.send({ method: 'notifications/initialized' });
  rest();
  return link;
}

async function within(ms: number, close: (failure: Failure) => void, step: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Failure('upstream_timeout', 'The server did not open its stream in time.')),
      ms,
    );
  });
  try {
    await Promise.race([step, late]);
  } catch (error) {
    close(error instanceof Failure ? error : new Failure('upstream_unreachable', String(error)));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
