import type { Outcome } from './load.ts';
import { type Started, type startGenerator, usageOf } from './processes.ts';
import { callText, requestText, type Scenario, streamText } from './scenarios.ts';

/** One thing under load: its processes, its port, and how requests name it. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  readonly processes: readonly Started[];
  readonly sendsToken: boolean;
}

/** One run of a scenario: microseconds of processor time a request, requests a second, milliseconds. */
export interface Run extends Outcome {
  readonly cpu: number;
  readonly perSecond: number;
  readonly memory: number;
}

/** Where the loads come from. */
export type Generator = ReturnType<typeof startGenerator>;

const usage = (subject: Subject): { cpu: number; memory: number } => {
  const all = subject.processes.map(({ pid }) => usageOf(pid));
  const sum = (of: 'cpu' | 'memory'): number => all.reduce((total, one) => total + one[of], 0);
  return { cpu: sum('cpu'), memory: sum('memory') };
};

/** Puts a subject under a scenario's load for some time and reads its accounts. */
export async function measure(
  generator: Generator,
  subject: Subject,
  scenario: Scenario,
  tokens: readonly string[],
  milliseconds: number,
): Promise<Run> {
  const { connections, rate, server, body, credential } = scenario;
  const requests = tokens.map((token) => {
    const sent = credential ?? `Bearer ${token}`;
    return requestText(server, `localhost:${subject.port}`, subject.sendsToken ? sent : undefined, body);
  });
  const job = { port: subject.port, requests, connections, ...(rate ? { rate } : {}) };
  // What is opened, compiled or cached at first is no cost of a request.
  await generator.run({ ...job, milliseconds: Math.min(400, milliseconds) });
  const before = usage(subject);
  const outcome = await generator.run({ ...job, milliseconds });
  // What a gateway still has to write down belongs to the requests.
  await pause(400);
  const after = usage(subject);
  return {
    ...outcome,
    cpu: ((after.cpu - before.cpu) * 1e6) / Math.max(1, outcome.requests),
    perSecond: outcome.requests / outcome.seconds,
    memory: after.memory,
  };
}

/** KiB of memory a subject needs for each of `count` streams that are open and idle; with how many there were. */
export async function measureStreams(
  generator: Generator,
  subject: Subject,
  token: string,
  count: number,
): Promise<{ readonly open: number; readonly kib: number }> {
  const request = streamText(`localhost:${subject.port}`, `Bearer ${token}`);
  await pause(500);
  const before = usage(subject).memory;
  const open = await generator.hold(subject.port, request, count);
  await pause(1500);
  const after = usage(subject).memory;
  await generator.release();
  return { open, kib: ((after - before) * 1024) / Math.max(1, open) };
}

/** Sends calls until a just-in-time compiler has nothing left to do: so many, or for so long. */
export async function warmUp(generator: Generator, subject: Subject, token: string): Promise<void> {
  const request = requestText('json', `localhost:${subject.port}`, `Bearer ${token}`, callText);
  let sent = 0;
  for (let round = 0; round < 16 && sent < 20_000; round += 1)
    sent += (
      await generator.run({ port: subject.port, requests: [request], connections: 32, milliseconds: 500 })
    ).requests;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
