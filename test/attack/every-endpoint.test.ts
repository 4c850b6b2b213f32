import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../harness.ts';
import { askAsAdmin } from '../sign-in.ts';

/*
 * Attacks that are the same at every door: each endpoint that the gateway describes is asked, with what somebody may have
 * forgotten to think of there.
 */

let gateway: TestGateway;
let ask: Awaited<ReturnType<typeof askAsAdmin>>;

beforeAll(async () => {
  gateway = await startGateway({ environment: { HEALTH_CHECK_INTERVAL_SECONDS: '0' } });
  ask = await askAsAdmin(gateway);
});
afterAll(() => gateway?.close());

const form = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
});

describe('text with NUL, which no database takes', () => {
  test('in the address or the query of what the API describes is 400', async () => {
    const { paths } = (await (await ask('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { parameters?: { name?: string; in?: string }[] }>>;
    };
    const asked: string[] = [];
    for (const [path, { get }] of Object.entries(paths)) {
      // Events that go on until somebody ends them.
      if (!get || !path.startsWith('/api/') || path.endsWith('/events/stream')) continue;
      const filled = path.replaceAll(/\{\w+\}/g, 'a%00b');
      if (filled !== path) asked.push(filled);
      else
        for (const { name, in: place } of get.parameters ?? [])
          if (place === 'query') asked.push(`${path}?${name}=a%00b`);
    }
    expect(asked.length).toBeGreaterThan(60);
    const statuses = await Promise.all(asked.map(async (path) => [path, (await ask(path)).status]));
    expect(statuses).toEqual(asked.map((path) => [path, 400]));
  });

  test.each([
    ['/api/access-requests', { path: '/a\0b', reason: 'x' }, 422],
    ['/api/access/explain', { username: 'a\0b', server: 'x', method: 'ping' }, 400],
    ['/api/servers/groups/delete', { group_name: 'a\0b', force: true }, 400],
  ])('in what is sent to %s is refused', async (path, body, status) => {
    const answer = await ask(path, body);
    expect([answer.status < 500, answer.status], await answer.text()).toEqual([true, status]);
  });

  test.each([
    '/oauth/authorize?client_id=a%00b&response_type=code',
    '/oauth/authorize?client_id=https://client.example/a%00b&response_type=code',
    '/oauth2/frontchannel-logout/entra?sid=a%00b',
    '/oauth/device?user_code=a%00b',
    '/oauth2/callback/entra?code=a%00b&state=a%00b',
  ])('of somebody unknown at %s is no fault of ours', async (path) => {
    const answer = await fetch(`${gateway.url}${path}`, { redirect: 'manual' });
    expect(answer.status).toBeLessThan(500);
  });

  test.each(['token', 'revoke', 'introspect', 'device/authorize'])(
    'as a program at /oauth/%s is an unknown one',
    async (name) => {
      const fields = { client_id: 'a\0b', token: 'a\0b', grant_type: 'refresh_token', refresh_token: 'a\0b' };
      const answer = await fetch(`${gateway.url}/oauth/${name}`, form(fields));
      expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_client' }]);
    },
  );
});
