import { type AuditEvent, refusedTooOften } from './event.ts';

/** How long refusals are counted before they are written as one row, in milliseconds. */
const window = 60_000;
/** Refusals of one sort that are kept one by one in a window, and of all sorts together: enough to look into a real one. */
const [singlesOfSort, singlesInAll] = [5, 60];
/** Sorts that are told apart in a window; what goes beyond is told apart by kind and status only. */
const sortsAtMost = 64;
/** Known callers whose refusals are counted in a window; each is refused hundreds of times before. */
const toldAtMost = 10_000;
/** Addresses that are counted by themselves, of each sort. */
const addressesAtMost = 16;

/** Repeated refusals of one sort. */
interface Sort {
  /** The last event that was kept by itself, or the first that was not: what all have in common is taken from it. */
  readonly like: AuditEvent;
  singles: number;
  count: number;
  firstAt: string;
  lastAt: string;
  /** Of all of them, in milliseconds. */
  duration: number;
  readonly addresses: Map<string, number>;
  /** Requests from addresses that are not counted by themselves. */
  elsewhere: number;
}

/** Passes events on, the repeated refusals of callers that nobody knows as one row with their count. */
export interface Merger {
  take(event: AuditEvent): void;
  /** Writes out what is counted so far. */
  flush(): void;
}

/**
 * Anybody can be refused as often as they like, so what that leaves in the trail must not grow with it: the first refusals
 * of a sort (kind, action, outcome, reason and status; never what the caller names) are passed on as they are, the others
 * are counted and passed on once a minute as one event with `repeated` and the addresses they came from. Memory is bounded
 * whatever comes. Events of identified callers and everything that was allowed are passed on untouched, but for what comes
 * after an identity was refused too often (429): that is one row a minute, of that identity.
 * While `isTight` holds, nothing anonymous is kept by itself.
 */
export function createMerger(pass: (event: AuditEvent) => void, isTight: () => boolean): Merger {
  let sorts = new Map<string, Sort>();
  let singles = 0;
  let told = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const ended = sorts;
    sorts = new Map();
    singles = 0;
    told = 0;
    for (const sort of ended.values()) if (sort.count > 0) pass(asOne(sort));
  };
  const sortOf = (event: AuditEvent): Sort => {
    const { kind, action, decision, reason, status } = event;
    const own = JSON.stringify([kind, action.slice(0, 200), decision, reason?.slice(0, 200), status]);
    const known = sorts.get(own);
    if (known) return known;
    if (sorts.size - told < sortsAtMost) return begin(own, event);
    const wide = JSON.stringify([kind, decision, status]);
    return sorts.get(wide) ?? begin(wide, { ...event, action: 'various', reason: undefined });
  };
  const begin = (key: string, like: AuditEvent): Sort => {
    const sort: Sort = {
      // Nothing that the caller chose is kept but the action, which is cut when it is recorded.
      like: {
        ...like,
        action: like.action.slice(0, 200),
        resource: null,
        tool: undefined,
        detail: undefined,
      },
      ...{ singles: 0, count: 0, firstAt: like.at, lastAt: like.at, duration: 0, elsewhere: 0 },
      addresses: new Map(),
    };
    sorts.set(key, sort);
    return sort;
  };

  /** Of somebody who is known only what comes after they were told to stop is counted, for them alone. */
  const identified = (event: AuditEvent): void => {
    const { who, decision, reason, status, kind } = event;
    const isCounted = who && decision === 'deny' && status === 429 && reason === refusedTooOften;
    const own =
      isCounted && JSON.stringify([kind, status, who.provider, who.subject, who.clientId, who.credentialId]);
    const known = own
      ? (sorts.get(own) ?? (told < toldAtMost ? begin(own, { ...event, action: 'various' }) : undefined))
      : undefined;
    if (!known) {
      pass(event);
      return;
    }
    timer ??= setTimeout(flush, window).unref();
    if (known.count === 0) told += 1;
    count(known, event);
  };

  return {
    take(event) {
      if (event.who !== null || event.decision === 'allow') return identified(event);
      timer ??= setTimeout(flush, window).unref();
      const sort = sortOf(event);
      if (!isTight() && sort.singles < singlesOfSort && singles < singlesInAll) {
        sort.singles += 1;
        singles += 1;
        return pass(event);
      }
      count(sort, event);
    },
    flush,
  };
}

function count(sort: Sort, { at, clientIp, durationMs }: AuditEvent): void {
  if (sort.count === 0 || at < sort.firstAt) sort.firstAt = at;
  if (sort.count === 0 || at > sort.lastAt) sort.lastAt = at;
  sort.count += 1;
  sort.duration += durationMs;
  const address = (clientIp ?? 'unknown').slice(0, 64);
  const seen = sort.addresses.get(address);
  if (seen !== undefined || sort.addresses.size < addressesAtMost)
    sort.addresses.set(address, (seen ?? 0) + 1);
  else sort.elsewhere += 1;
}

/** The counted ones as one event: from the first on, with the address where there is only one. */
function asOne({ like, count, firstAt, lastAt, duration, addresses, elsewhere }: Sort): AuditEvent {
  const [only] = addresses.size === 1 && elsewhere === 0 ? [...addresses.keys()] : [];
  const most = [...addresses].sort(([, a], [, b]) => b - a);
  return {
    ...like,
    at: firstAt,
    clientIp: only === undefined || only === 'unknown' ? null : only,
    durationMs: Math.round(duration / count),
    repeated: { count, lastAt },
    detail: {
      addresses: most.map(([address, requests]) => ({ address, requests })),
      ...(elsewhere > 0 ? { requests_from_other_addresses: elsewhere } : {}),
    },
  };
}
