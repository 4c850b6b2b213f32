import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchGateway, type Size, startBenchGateway } from './gateway.ts';
import { type Identities, startIdentities } from './identities.ts';
import { startGenerator, startModule } from './processes.ts';

/** What every benchmark runs on. */
export interface Stage {
  /** For what the programs here write; it is gone at the end. */
  readonly directory: string;
  readonly upstreamPort: number;
  readonly identities: Identities;
  /** Another generator of load each time. */
  generator(): ReturnType<typeof startGenerator>;
  /** A gateway in front of the upstream, by a name of its own. */
  gateway(name: string, size: Size): Promise<BenchGateway>;
  /** Ends something with the stage. */
  defer(stop: () => Promise<unknown>): void;
}

/** Runs a benchmark on a stage, and ends whatever was started on it, also when the benchmark fails. */
export async function onStage(run: (stage: Stage) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  const ending = <T extends { stop(): Promise<void> }>(started: T): T => {
    stops.push(() => started.stop());
    return started;
  };
  try {
    const upstream = ending(startModule('upstream.ts'));
    const upstreamPort = await new Promise<number>((resolve) => upstream.child.once('message', resolve));
    const identities = await startIdentities(directory);
    stops.push(() => identities.close());
    await run({
      ...{ directory, upstreamPort, identities },
      generator: () => ending(startGenerator()),
      gateway: async (name, size) =>
        ending(await startBenchGateway(directory, name, identities, upstreamPort, size)),
      defer: (stop) => void stops.push(stop),
    });
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
