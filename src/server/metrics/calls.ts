import type { AuditEvent } from '../audit/event.ts';
import { type Labels, metricText, type Sample } from './text.ts';

/** What is known of a server: the names of its tools as last seen. */
export interface KnownServer {
  readonly tools: readonly { readonly name: string }[];
}

/** Counts the calls of the data plane. */
export interface CallMetrics {
  record(event: AuditEvent): void;
  /** Drops the series of servers that the registry does not know any more. */
  dropGone(): void;
  /** What was counted, in the text format of Prometheus. */
  render(): string;
}

/** Label combinations at most; beyond these a call counts for the server `other`. */
const seriesAtMost = 20_000;

/** In seconds; the first are of the gateway itself, the last of tools that work for long. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Methods by their names in the protocol; whatever else a client makes up counts as `other`. */
const methods: ReadonlySet<string> = new Set([
  ...['initialize', 'ping', 'server/discover', 'logging/setLevel', 'completion/complete', 'batch'],
  ...['tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list', 'resources/read'],
  ...['resources/templates/list', 'resources/subscribe', 'resources/unsubscribe', 'subscriptions/listen'],
  ...['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel', 'tasks/update', '$stream', '$end'],
  ...['notifications/initialized', 'notifications/cancelled', 'notifications/progress'],
  ...['notifications/roots/list_changed'],
]);
/** They last as long as somebody listens, which says nothing of speed. */
const untimed: ReadonlySet<string> = new Set(['$stream', 'subscriptions/listen']);

/** Plain numbers, because the library's own counters look their labels up by text at each request. */
class Series {
  count = 0;
  timed = 0;
  seconds = 0;
  /** Not cumulative; what is beyond the last bucket is in `timed` alone. */
  readonly buckets: number[] = buckets.map(() => 0);

  observe(seconds: number): void {
    this.timed += 1;
    this.seconds += seconds;
    const at = buckets.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.buckets[at] = (this.buckets[at] ?? 0) + 1;
  }
}

type Branch<T> = Map<string, T>;
/** By server, method, tool and decision. */
type Tree = Branch<Branch<Branch<Branch<Series>>>>;

/**
 * Makes the metrics of calls. Labels come from closed sets: servers and tools that the registry knows, methods of the
 * protocol; all else is `other`, so that no client can make series up.
 */
export function createCallMetrics(find: (server: string) => KnownServer | undefined): CallMetrics {
  const tree: Tree = new Map();
  let count = 0;
  const toolsOf = toolNames();

  const seriesOf = (server: string, method: string, tool: string, decision: string): Series => {
    const last = branch(branch(branch(tree, server), method), tool);
    const known = last.get(decision);
    if (known) return known;
    if (count >= seriesAtMost && server !== 'other') return seriesOf('other', method, '', decision);
    const made = new Series();
    last.set(decision, made);
    count += 1;
    return made;
  };
  return {
    record({ resource, action, tool, decision, durationMs }) {
      const known = resource === null ? undefined : find(resource);
      const server = known && resource !== null ? resource : 'other';
      const method = methods.has(action) ? action : 'other';
      const name = tool === undefined ? '' : known && toolsOf(known).has(tool) ? tool : 'other';
      const series = seriesOf(server, method, name, decision);
      series.count += 1;
      if (!untimed.has(action)) series.observe(durationMs / 1000);
    },
    dropGone() {
      const gone = [...tree.keys()].filter((server) => server !== 'other' && !find(server));
      if (gone.length === 0) return;
      count -= [...leavesOf(tree)].filter(([{ server = '' }]) => gone.includes(server)).length;
      for (const server of gone) tree.delete(server);
    },
    render: () => metricText(counter, counts(tree)) + metricText(histogram, times(tree)),
  };
}

const counter = {
  name: 'mcp_gateway_requests_total',
  help: 'MCP requests by server, method, tool and decision',
  type: 'counter',
} as const;

const histogram = {
  name: 'mcp_gateway_request_duration_seconds',
  help: 'Time from the beginning of an MCP request to the end of its answer; streams that only listen are left out',
  type: 'histogram',
} as const;

function* counts(tree: Tree): Generator<Sample> {
  for (const [labels, { count }] of leavesOf(tree)) yield { labels, value: count };
}

function* times(tree: Tree): Generator<Sample> {
  for (const [labels, series] of leavesOf(tree)) {
    if (series.timed === 0) continue;
    let below = 0;
    for (const [at, bound] of buckets.entries()) {
      below += series.buckets[at] ?? 0;
      yield { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below };
    }
    yield { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: series.timed };
    yield { suffix: '_sum', labels, value: series.seconds };
    yield { suffix: '_count', labels, value: series.timed };
  }
}

function* leavesOf(tree: Tree): Generator<[Labels, Series]> {
  for (const [server, methodsOf] of tree)
    for (const [method, tools] of methodsOf)
      for (const [tool, decisions] of tools)
        for (const [decision, series] of decisions) yield [{ server, method, tool, decision }, series];
}

/** Remembers the names of a server's tools as a set; another object stands for the server after each change. */
function toolNames(): (server: KnownServer) => ReadonlySet<string> {
  const sets = new WeakMap<KnownServer, ReadonlySet<string>>();
  return (server) => {
    const known = sets.get(server);
    if (known) return known;
    const made = new Set(server.tools.map(({ name }) => name));
    sets.set(server, made);
    return made;
  };
}

function branch<T>(tree: Branch<Branch<T>>, name: string): Branch<T> {
  const known = tree.get(name);
  if (known) return known;
  const made: Branch<T> = new Map();
  tree.set(name, made);
  return made;
}
