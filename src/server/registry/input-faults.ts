import type { z } from 'zod';
import { Failure, type Fault, invalidInput } from '../failure/errors.ts';
import type { OutboundPolicy } from '../net/addresses.ts';
import { assertReachableUrl } from '../net/outbound.ts';

/** What `schema` makes of a body; faults are named by their place in the body as it was sent, which `sentAt` finds. */
export function held<S extends z.ZodType>(
  schema: S,
  value: unknown,
  sentAt: (path: readonly PropertyKey[]) => readonly PropertyKey[] = (path) => path,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => ({
    at: ['body', ...sentAt(path)].map(String).join('.'),
    message,
  }));
  throw invalidInput(faults);
}

/** Refuses URLs that the gateway may not reach; every fault is named by the place of its URL. */
export function assertReachableUrls(
  urls: readonly { readonly at: string; readonly url: string }[],
  policy: OutboundPolicy,
): void {
  const faults: Fault[] = [];
  for (const { at, url } of urls)
    try {
      assertReachableUrl(url, policy, at);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      faults.push(...error.faults);
    }
  if (faults.length > 0) throw invalidInput(faults);
}

/** Parts of paths that say which interface it is and hold no key. */
const plainParts: ReadonlySet<string> = new Set([
  ...[
    'mcp',
    'sse',
    'message',
    'messages',
    'http',
    'stream',
    'rpc',
    'jsonrpc',
    'a2a',
    'api',
    'v1',
    'v2',
    'v3',
  ],
  ...['.well-known', 'agent-card.json', 'agent.json'],
]);

/**
 * A URL as the audit trail keeps it: its origin and the usual names of interfaces. Everything else may hold a key (user
 * name and password, query, fragment, and whatever a service puts into the path) and becomes `…`.
 */
export function urlForRecord(url: string): string {
  if (!URL.canParse(url)) return '…';
  const { protocol, host, pathname } = new URL(url);
  const parts = pathname.split('/').map((part) => (part === '' || plainParts.has(part) ? part : '…'));
  return `${protocol}//${host}${parts.join('/')}`;
}
