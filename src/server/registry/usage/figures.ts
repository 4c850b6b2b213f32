/** What calls come to, one after the other. */
export interface Figures {
  add(call: { readonly at: string; readonly decision: string; readonly duration_ms: number }): void;
  /** Takes in a list of tools that was fetched, by about how many tokens it takes. */
  addList(tokens: number): void;
  /** When the newest of them came; ISO 8601. */
  readonly lastAt: string;
  shown(): {
    calls: number;
    denied: number;
    errors: number;
    p50_ms: number | null;
    p95_ms: number | null;
    list_tokens: number;
  };
}

/** Each bucket of the histogram is 5 % wider than the one before: percentiles are right to 5 %, in little memory. */
const growth = Math.log(1.05);

/** Counts calls and how long the allowed ones took. */
export function createFigures(): Figures {
  let [calls, denied, errors, timed, listTokens, lastAt] = [0, 0, 0, 0, 0, ''];
  const histogram = new Map<number, number>();
  const percentile = (part: number): number | null => {
    if (timed === 0) return null;
    let left = Math.ceil(timed * part);
    for (const [bucket, count] of [...histogram].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return rounded(Math.exp(bucket * growth));
    }
    return null;
  };
  return {
    add({ at, decision, duration_ms: ms }) {
      calls += 1;
      if (decision === 'deny') denied += 1;
      else if (decision === 'error') errors += 1;
      else {
        const bucket = Math.round(Math.log(Math.max(ms, 0.1)) / growth);
        histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
        timed += 1;
      }
      if (at > lastAt) lastAt = at;
    },
    addList(tokens) {
      listTokens += tokens;
    },
    get lastAt() {
      return lastAt;
    },
    shown: () => ({
      ...{ calls, denied, errors, p50_ms: percentile(0.5), p95_ms: percentile(0.95) },
      list_tokens: listTokens,
    }),
  };
}

function rounded(ms: number): number {
  return ms >= 10 ? Math.round(ms) : Math.round(ms * 10) / 10;
}
