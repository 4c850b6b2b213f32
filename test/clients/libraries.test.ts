import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Connect, Driver } from './driver.ts';
import { librariesOn } from './libraries.ts';
import { narrow, type Stage, startStage } from './stage.ts';
import { keep, type Seen } from './table.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

const before = '2025-11-25';
const libraries = librariesOn(() => stage);

describe.each(libraries)('$name', (library) => {
  const { name, version, eras, absent } = library;
  const saw = (column: Seen['column'], value: string) => keep({ client: name, version, column, value });
  const begin = async (how: Connect): Promise<Driver> => {
    const driver = library.start();
    onTestFinished(() => driver.end());
    await driver.connect(how);
    return driver;
  };
  const ways = [
    ...eras.map((era) => ({ server: 'target', era, transport: 'http' }) as const),
    { server: 'oldest', era: before, transport: 'sse' } as const,
  ].filter(({ transport }) => name !== 'TypeScript SDK 2' || transport === 'http');

  describe.each(ways)('$server, $era', ({ server, era, transport }) => {
    const { may, mayNot } = narrow[server];
    const args = server === 'oldest' ? { message: 'hello' } : {};
    const label = transport === 'sse' ? 'HTTP+SSE' : era;

    test.skipIf(absent)('with a full scope: lists all, calls, survives a refusal', async () => {
      const driver = await begin({ url: stage.urlOf(server), era, transport, token: stage.tokens.full });
      const listed = await driver.list();
      expect(listed.tools).toEqual(expect.arrayContaining([may, mayNot]));
      expect(listed.prompts.length).toBeGreaterThan(0);
      expect(listed.resources.length).toBeGreaterThan(0);
      expect(await driver.call(may, args)).not.toBe('');
      const unknown = await driver.call('no_such_tool').then(
        () => 'a result',
        (error: Error) => error.message,
      );
      expect(unknown).not.toMatch(/the process ended/);
      expect(await driver.call(may, args)).not.toBe('');
      await driver.close();
      saw('eras', label);
      saw('full', 'yes');
    });

    test.skipIf(absent)('with a narrow scope: sees one tool, is refused others, goes on', async () => {
      const driver = await begin({ url: stage.urlOf(server), era, transport, token: stage.tokens.narrow });
      expect(await driver.list()).toEqual({ tools: [may], prompts: [], resources: [] });
      expect(await driver.call(may, args)).not.toBe('');
      await expect(driver.call(mayNot)).rejects.toThrow(/not allowed|may not/i);
      expect(await driver.call(may, args)).not.toBe('');
      await driver.close();
      saw('narrow', 'yes');
    });
  });

  test.skipIf(absent).each(eras)('survives a restart of the server in %s as it does direct', async (era) => {
    const histories = [];
    for (const url of [stage.direct.target, stage.urlOf('target')]) {
      const driver = await begin({ url, era, transport: 'http', token: stage.tokens.full });
      await driver.call('test_simple_text');
      await stage.restartTarget();
      const history = [];
      for (let call = 1; call <= 3; call += 1)
        history.push(
          await driver.call('test_simple_text').then(
            () => 'result',
            () => 'error',
          ),
        );
      histories.push(history);
      await driver.end();
    }
    const [direct = [], through = []] = histories;
    expect(
      through.map((one, at) => (one === 'error' && direct[at] === 'result' ? 'worse' : 'as well')),
    ).toEqual(direct.map(() => 'as well'));
    saw('restart', `${direct?.includes('result') ? 'continues' : 'reconnects'} (${era}), as direct`);
  });

  test.skipIf(absent)('signs in, refreshes by itself, and signs in again', async () => {
    const era = eras.at(-1) ?? before;
    const how = { url: stage.urlOf('target'), era, transport: 'http', signIn: true } as const;
    const driver = library.start();
    onTestFinished(() => driver.end());
    const opened = () => stage.browser.opened.length;
    const start = opened();
    await driver.age();
    await driver.connect(how);
    // Without sessions there is nothing to ask for before the first request.
    expect((await driver.list()).tools).toEqual([narrow.target.may]);
    expect(await driver.call(narrow.target.may)).not.toBe('');
    expect(opened()).toBe(start + 1);
    saw('signIn', 'yes');
    await driver.age();
    expect(await driver.call(narrow.target.may)).not.toBe('');
    expect(opened()).toBe(start + 1);
    saw('refresh', 'yes');
    expect(await stage.endGrants()).toBeGreaterThan(0);
    const after = await driver.call(narrow.target.may).then(
      () => 'in the same session',
      () => 'after reconnecting',
    );
    if (after !== 'in the same session') {
      // mcp-remote asks for a sign-in before it ends, at the address where the next one listens.
      await stage.browser.idle();
      await driver.close().catch(() => undefined);
      await driver.connect(how).catch(async () => {
        await stage.browser.idle();
        await driver.connect(how);
      });
      expect(await driver.call(narrow.target.may)).not.toBe('');
    }
    // A client whose stream ended too may ask for a sign-in of its own for that.
    expect(opened()).toBeGreaterThanOrEqual(start + 2);
    saw('again', `yes, ${after}`);
  });
});
