import { keepCorpus, keepCrash, readCorpus } from './corpus.ts';
import { fuzz } from './engine.ts';
import { targets } from './targets.ts';

/** `npm run fuzz -- --seconds 600 [--target body] [--seed 1]`: fuzzes each target for its share of the time. */
async function main(args: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined => args[args.indexOf(`--${name}`) + 1 || args.length];
  const wanted = targets.filter(({ name }) => option('target') === undefined || option('target') === name);
  const share = (Number(option('seconds') ?? 60) * 1000) / wanted.length;
  let failed = 0;
  for (const target of wanted) {
    const until = Date.now() + share;
    const { executions, corpus, crash } = await fuzz(target, {
      seed: Number(option('seed') ?? Date.now() % 2 ** 31),
      executions: Number.POSITIVE_INFINITY,
      corpus: readCorpus(target.name),
      isOver: () => Date.now() >= until,
    });
    keepCorpus(target.name, corpus, 400);
    console.log(`${target.name}: ${executions} executions, ${corpus.length} inputs reach different code`);
    if (!crash) continue;
    failed += 1;
    console.error(`${target.name}: broken by ${keepCrash(target.name, crash.input)}`, crash.error);
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
