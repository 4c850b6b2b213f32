import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Era } from './driver.ts';
import { type Step, startModel } from './model.ts';
import { type Key, pinned } from './pinned.ts';
import { type Given, programs, tried } from './programs.ts';
import { narrow, type Stage, startStage, whyAbsent } from './stage.ts';
import { keep, type Seen } from './table.ts';

/** Programs that people work with, each by its own commands; those that need a model have one that does what is asked. */
let stage: Stage;
let model: Awaited<ReturnType<typeof startModel>>;
beforeAll(async () => {
  [stage, model] = await Promise.all([startStage(), startModel()]);
});
afterAll(async () => {
  model?.close();
  await stage?.close();
});

const [before, now] = ['2025-11-25', '2026-07-28'] as const;

/** The era of a revision: older ones, and programs that leave the header out, are as 2025-11-25 is. */
const eraOf = (revision: string): Era => (revision === now ? now : before);

describe.each(tried.map((one) => ({ ...one, label: `${pinned[one.key].name} ${pinned[one.key].version}` })))(
  '$label',
  ({ key, eras, sse, signsIn }) => {
    const { name, version } = pinned[key as Key];
    const absent = whyAbsent(key);
    const saw = (column: Seen['column'], value: string) => keep({ client: name, version, column, value });
    const begin = async (server: Given) => {
      const program = programs[key](stage, model);
      onTestFinished(() => program.end());
      await program.add(server);
      stage.heard();
      return program;
    };
    const ways = [
      ...eras.map((era) => ({ server: 'target', era, transport: 'http' }) as const),
      ...(sse ? [{ server: 'oldest', era: before, transport: 'sse' } as const] : []),
    ];

    describe.each(ways)('$server, $era', ({ server, era, transport }) => {
      const { may, mayNot } = narrow[server];
      const call: Step = { tool: may, args: server === 'oldest' ? { message: 'hello' } : {} };
      const refused: Step = { tool: mayNot, args: server === 'oldest' ? { a: 1, b: 2 } : {} };
      const text = server === 'oldest' ? /hello/ : /simple text response/;

      test.skipIf(absent)('with a full scope: lists all, calls, survives a refusal', async () => {
        const program = await begin({ url: stage.urlOf(server), era, transport, token: stage.tokens.full });
        const { offered, results } = await program.converse([call, refused, call]);
        expect(offered.filter((one) => one.endsWith(may) || one.endsWith(mayNot))).toHaveLength(2);
        expect(offered.length).toBeGreaterThan(4);
        expect(results).toEqual([
          expect.stringMatching(text),
          expect.stringMatching(server === 'oldest' ? /sum/ : /error/i),
          expect.stringMatching(text),
        ]);
        const heard = server === 'target' ? stage.heard() : [era];
        expect(heard.map(eraOf)).toEqual([era]);
        // Gemini CLI leaves the header out.
        const revision = heard[0] === 'undefined' ? era : (heard[0] ?? era);
        saw('eras', transport === 'sse' ? 'HTTP+SSE' : revision);
        saw('full', 'yes');
      });

      test.skipIf(absent)('with a narrow scope: sees its tools, is refused one, goes on', async () => {
        await stage.allowTools('both');
        const program = await begin({ url: stage.urlOf(server), era, transport, token: stage.tokens.narrow });
        const { offered, results } = await program.converse([
          call,
          { ...refused, before: () => stage.allowTools('narrow') },
          call,
        ]);
        expect(offered.filter((one) => one.endsWith(may) || one.endsWith(mayNot))).toHaveLength(2);
        expect(offered.filter((one) => /test_|echo|get-/.test(one))).toHaveLength(2);
        expect(results).toEqual([
          expect.stringMatching(text),
          expect.stringMatching(/not allowed|may not|not found|no such tool/i),
          expect.stringMatching(text),
        ]);
        saw('narrow', 'yes');
      });
    });

    if (signsIn === false) return;
    test.skipIf(absent)('signs in, refreshes by itself, and signs in again', async () => {
      const era = eras.at(-1) ?? before;
      const program = await begin({ url: stage.urlOf('target'), era, transport: 'http' });
      const opened = () => stage.browser.opened.length;
      const call = { tool: narrow.target.may };
      const [start, text] = [opened(), expect.stringMatching(/simple text response/)];
      await program.signIn?.();
      expect(opened()).toBe(start + 1);
      expect((await program.converse([call])).results).toEqual([text]);
      saw('signIn', 'yes');
      program.age?.();
      expect((await program.converse([call])).results).toEqual([text]);
      expect(opened()).toBe(start + 1);
      saw('refresh', 'yes');
      const ended = await program.converse([call, { ...call, before: () => stage.endGrants() }]);
      expect(ended.results[0]).toEqual(text);
      const byItself = opened() > start + 1;
      if (!byItself) {
        expect(ended.results[1]).not.toEqual(text);
        await program.signIn?.();
      }
      expect((await program.converse([call])).results).toEqual([text]);
      expect(opened()).toBe(start + 2);
      saw('again', byItself ? 'yes, by itself' : 'yes');
    });
  },
);
