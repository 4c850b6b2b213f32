import type { ResourceLimits } from 'node:worker_threads';
import { createThread, threadModule } from '../../../thread.ts';
import type { CheckServer, Finding } from './check.ts';
import type { CheckThreadData, ToCheck } from './check-thread.ts';

/** What room a check has for what servers list. */
const room: ResourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 192 };

const tooLarge: Finding = {
  status: 'unhealthy',
  reason: 'failing',
  detail: 'What it lists takes more memory than a check may use.',
  serverVersion: null,
  protocolVersion: null,
  tools: null,
};

/**
 * Checks servers in a thread of their own: thousands of them would hold up calls. Servers whose lists are large together
 * end that thread; those that were looked at then are looked at again one by one in another, so that only a server that
 * is too large by itself is found to be.
 */
export function createCheckApart(
  workerData: CheckThreadData,
  resourceLimits = room,
): { readonly check: CheckServer; close(): Promise<void> } {
  const [together, alone] = ['checks servers', 'checks one server'].map((name) =>
    createThread<ToCheck, string>({
      module: threadModule(import.meta.url, 'check-thread'),
      ...{ workerData, name, resourceLimits },
    }),
  ) as [Thread, Thread];
  // It gives way only once it has started, which must not fall among calls.
  if (workerData.givesWay) together.start();
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();
  const again = (question: ToCheck): Promise<Finding> => {
    const next = last
      .then(async () => JSON.parse(await alone.ask(question)) as Finding)
      .catch((error: unknown) => {
        if (isClosed) throw error;
        return tooLarge;
      });
    last = next.catch(() => {});
    return next;
  };
  return {
    async check({ mcp, sse }, headers = [], mark) {
      const question = { mcp: mcp?.href ?? null, sse: sse?.href ?? null, headers, mark };
      const told = await together.ask(question).catch((error: unknown) => {
        if (isClosed) throw error;
      });
      return told === undefined ? again(question) : (JSON.parse(told) as Finding);
    },
    async close() {
      isClosed = true;
      await Promise.all([together.end(), alone.end()]);
    },
  };
}

type Thread = ReturnType<typeof createThread<ToCheck, string>>;
