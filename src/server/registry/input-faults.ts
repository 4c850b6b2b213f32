import type { z } from 'zod';
import { Failure, type Fault } from '../failure/errors.ts';
import type { OutboundPolicy } from '../net/addresses.ts';
import { assertReachableUrl } from '../net/outbound.ts';

/** The failure of an input with these faults, each named with its place. */
export function invalid(faults: readonly Fault[]): Failure {
  const said = faults.map(({ at, message }) => `${at}: ${message}`).join(' ');
  return new Failure('invalid_input', said, { faults });
}

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
  throw invalid(faults);
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
  if (faults.length > 0) throw invalid(faults);
}

/** A URL as the audit trail keeps it: without its query, which may hold a key. */
export function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
