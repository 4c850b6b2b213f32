import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startTarget } from '../conformance/target.ts';
import { startEverythingBy } from '../everything-server.ts';
import { freePort } from '../harness.ts';
import { librariesOn } from './libraries.ts';
import { type Step, startModel } from './model.ts';
import { bareEnvironment, pinned, programOf } from './pinned.ts';
import { programs, tried } from './programs.ts';
import { type Stage, startStage, whyAbsent } from './stage.ts';
import { keep } from './table.ts';

/*
 * Every client at one virtual server of six: the conformance target (2026-07-28), three of 2025-11-25 (server-everything, and
 * one each by the Python SDK 1 and FastMCP 2), server-everything over HTTP+SSE, and one that is down. Once each: the clients'
 * own ways are tried in the other tests.
 */
let stage: Stage;
let model: Awaited<ReturnType<typeof startModel>>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const [target, legacy, python, fastmcp] = await Promise.all([
    startTarget(),
    startEverythingBy('streamableHttp'),
    startPython('mcp1'),
    startPython('fastmcp2'),
  ]);
  children.push(legacy.child);
  [stage, model] = await Promise.all([startStage(), startModel()]);
  await stage.register('legacy', `http://127.0.0.1:${legacy.port}/mcp`);
  await stage.register('python', `http://127.0.0.1:${python}/mcp`);
  await stage.register('fastmcp', `http://127.0.0.1:${fastmcp}/mcp`);
  // It was healthy when it was registered, and then went away.
  await stage.register('down', target.url);
  await target.close();
  await stage.post('/api/servers/down/health', {});
  await stage.post('/api/virtual-servers', {
    ...{ server_name: 'Six', path: '/virtual/six' },
    members: members.map((name) => ({ backend_server_path: `/${name}` })),
  });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  model?.close();
  await stage?.close();
});

const members = ['target', 'legacy', 'python', 'fastmcp', 'oldest', 'down'];

async function startPython(key: 'mcp1' | 'fastmcp2'): Promise<number> {
  const port = await freePort();
  const args = [resolve('test/clients/drivers/python/server.py'), key, String(port)];
  const child = spawn(programOf(key), args, {
    env: bareEnvironment('/nonexistent'),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let said = '';
  await new Promise<void>((ready, fail) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('running on')) ready();
    });
    child.once('exit', () => fail(new Error(said)));
  });
  return port;
}

/** A call at each member that is there, and what its result has in it. */
const calls: readonly (Step & { readonly says: RegExp })[] = [
  { tool: 'target__test_simple_text', says: /simple text/ },
  { tool: 'legacy__echo', args: { message: 'two' }, says: /two/ },
  { tool: 'python__say', args: { text: 'three' }, says: /mcp1 says three/ },
  { tool: 'fastmcp__say', args: { text: 'four' }, says: /fastmcp2 says four/ },
  { tool: 'oldest__echo', args: { message: 'five' }, says: /five/ },
];
const gone = 'down__test_simple_text';
const serversAbsent = whyAbsent('mcp1') ?? whyAbsent('fastmcp2');

/** The members whose tools are among names, however the client calls them. */
const membersIn = (names: readonly string[]): string[] =>
  members.filter((member) => names.some((name) => new RegExp(`(^|_)${member}__`).test(name)));
const present = members.slice(0, -1);

const sessions = librariesOn(() => stage).flatMap((one) => one.eras.map((era) => ({ ...one, era })));

describe.each(sessions)('$name, $era', ({ name, version, absent, era, start }) => {
  test.skipIf(absent ?? serversAbsent)('calls every member, and learns which one is down', async () => {
    const driver = start();
    onTestFinished(() => driver.end());
    const how = { era, transport: 'http', token: stage.tokens.full } as const;
    await driver.connect({ url: stage.urlOf('virtual/six'), ...how });
    expect(membersIn((await driver.list()).tools)).toEqual(present);
    await expect(driver.call(gone)).rejects.toThrow(/'\/down'/);
    for (const { tool, args, says } of calls) expect(await driver.call(tool, args)).toMatch(says);
    await driver.close();
    keep({ client: name, version, column: 'six', value: 'yes' });
  });
});

/** How each program says that a member is down: to its model, in what it prints, as a refused call; two do not. */
const learns: Readonly<Record<keyof typeof programs, 'told' | 'refused' | 'no'>> = {
  ...{ claudeOlder: 'told', claude: 'told', codex: 'told', gemini: 'told', inspector: 'no' },
  ...{ mcporter: 'refused', agents: 'no' },
};
const runs = tried.map(({ key, eras }) => ({
  key,
  era: eras.at(-1) ?? '2025-11-25',
  label: `${pinned[key].name} ${pinned[key].version}`,
}));

describe.each(runs)('$label, $era', ({ key, era }) => {
  const absent = whyAbsent(key) ?? serversAbsent;
  const way = learns[key];
  test.skipIf(absent)('calls every member, and learns which one is down', async () => {
    const program = programs[key](stage, model);
    onTestFinished(() => program.end());
    const url = stage.urlOf('virtual/six');
    await program.add({ url, era, transport: 'http', token: stage.tokens.full });
    const steps: Step[] = way === 'refused' ? [{ tool: gone }, ...calls] : [...calls];
    const { offered, results, told } = await program.converse(steps);
    expect(membersIn(offered)).toEqual(present);
    expect(results.slice(-calls.length)).toEqual(calls.map(({ says }) => expect.stringMatching(says)));
    if (way === 'told') expect(told).toMatch(/\/down.*it is not healthy/s);
    if (way === 'refused') expect(results[0]).toContain("'/down'");
    const { name, version } = pinned[key];
    keep({
      client: name,
      version,
      column: 'six',
      value: way === 'no' ? 'yes, its model is not shown what is down' : 'yes',
    });
  });
});
