import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, folderWith, type Said, scripted } from '../../test/cli-trial.ts';
import { untilInterrupted } from './main.ts';

const tenant = '7e4a0000-e000-4000-8000-000000000001';
const identity = {
  ...{ identity_name: 'agent', tenant_id: tenant, client_id: 'a-client', client_secret: 's3cret-of-agent' },
  scope: 'api://the-gateway/.default',
};
const refused: Said = {
  status: 401,
  body: { error: 'invalid_client', error_description: 'AADSTS7000222: expired', error_codes: [7000222] },
};

/** Runs `generate-tokens --watch` with time that passes only in its pauses; `steps` happen in them, then it is interrupted. */
async function watch(answers: Said[], steps: ((cwd: string) => unknown)[]) {
  let asked = 0;
  const login = await scripted({
    [`POST /${tenant}/oauth2/v2.0/token`]: () => {
      asked += 1;
      const body = { access_token: `a.b.${asked}`, token_type: 'Bearer', expires_in: 3600 };
      return answers.shift() ?? { body };
    },
  });
  const cwd = await folderWith({ 'ids.json': JSON.stringify([identity]) });
  const start = Date.parse('2026-01-02T03:04:05Z');
  const asksAt: number[] = [];
  let [now, seen] = [start, 0];
  const stop = new AbortController();
  const remaining = [...steps];
  const result = await cli(
    ['generate-tokens', '--watch', '-i', 'ids.json', '--output-dir', '.', '--entra-login-url', login.url],
    {
      cwd,
      terminal: {
        clock: {
          now: () => now,
          async pause(ms) {
            if (asked > seen) asksAt.push(Math.round((now - start) / 1000));
            const renewed = asked > seen;
            seen = asked;
            now += ms;
            // A step a request: other pauses only let time pass.
            if (renewed) {
              const step = remaining.shift();
              if (step) await step(cwd);
              else stop.abort();
            }
          },
        },
        untilInterrupted: (work) => work(stop.signal),
      },
    },
  );
  return { ...result, asksAt, cwd };
}

const nothing = (): void => undefined;

test('a token is renewed at four fifths of its life, until interrupted, which is a success', async () => {
  const { code, out, err, asksAt, cwd } = await watch([], [nothing, nothing]);
  expect({ code, out }).toEqual({ code: 0, out: 'Token generation complete: 1/1 successful\n' });
  expect(asksAt).toEqual([0, 2880, 5760]);
  expect(JSON.parse(await readFile(join(cwd, 'agent.json'), 'utf8')).access_token).toBe('a.b.3');
  expect(err.match(/\[SUCCESS\]/g)).toHaveLength(3);
  expect(err).not.toMatch(/a\.b\.|s3cret/);
});

test('what fails is tried again with growing pauses, said once, and the old token stays', async () => {
  const fine: Said = { body: { access_token: 'first', token_type: 'Bearer', expires_in: 100 } };
  const { asksAt, err, cwd } = await watch(
    [fine, refused, refused, refused, { status: 503, body: 'down' }],
    [nothing, nothing, nothing, nothing],
  );
  expect(asksAt).toEqual([0, 80, 85, 95, 115]);
  expect(err.match(/AADSTS7000222/g)).toHaveLength(1);
  expect(err.match(/\[ERROR\]/g)).toHaveLength(2);
  expect(JSON.parse(await readFile(join(cwd, 'agent.json'), 'utf8')).access_token).toBe('first');
});

test('a changed identities file takes effect within a minute; a broken one leaves things as they are', async () => {
  const write = (text: string) => (cwd: string) => writeFile(join(cwd, 'ids.json'), text);
  const changed = [{ ...identity, client_secret: 'new-secret' }];
  const { code, asksAt } = await watch([], [write(JSON.stringify(changed)), nothing]);
  expect(code).toBe(0);
  expect(asksAt).toEqual([0, 60, 2940]);
  const broken = await watch([], [write('['), nothing]);
  expect(broken.asksAt).toEqual([0, 2880, 5760]);
  expect(broken.err).toContain('The previous identities are kept.');
});

test('a signal to end aborts the work, and listeners do not pile up', async () => {
  const before = process.listenerCount('SIGTERM');
  const ended = await untilInterrupted(
    (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve('ended'));
        process.emit('SIGTERM');
      }),
  );
  expect(ended).toBe('ended');
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
