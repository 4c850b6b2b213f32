import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { shippedTenant } from '../../src/entra-emulator/shipped.ts';
import { startGateway, type TestGateway } from '../harness.ts';
import { askAsAdmin, mintToken, signIn } from '../sign-in.ts';
import { type Driver, type Era, startDriver } from './driver.ts';
import type { Key } from './pinned.ts';
import { whyAbsent } from './stage.ts';
import { mcpRemoteDriver } from './typescript.ts';

/*
 * A server that wants each person's own credential, and somebody who has none there. Both TypeScript SDKs, which show addresses,
 * are in test/egress; these show what they are told.
 */

let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  gateway = await startGateway();
  const ask = await askAsAdmin(gateway);
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await ask(path, body);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  // Nobody is there: it is not asked before there is a credential.
  await post('/api/servers', {
    ...{ server_name: 'mine', path: '/mine', proxy_pass_url: 'http://127.0.0.1:9/mcp', is_enabled: true },
  });
  await post('/api/servers/mine/egress-auth', { egress_auth_mode: 'pat' });
  const session = await signIn(gateway.url, shippedTenant.accounts.admin.userPrincipalName);
  ({ token } = await mintToken(gateway.url, session));
});
afterAll(() => gateway?.close());

const nobody = async (): Promise<URL> => {
  throw new Error('nobody signs in here');
};
const keys: readonly Key[] = ['mcp1', 'mcp2', 'fastmcp2', 'fastmcp4', 'go'];
const libraries: readonly (readonly [Key, Era, () => Driver])[] = [
  ['mcp-remote', '2025-11-25', () => mcpRemoteDriver({})],
  ...keys.map((key) => [key, '2025-11-25', () => startDriver(key, nobody, {})] as const),
  ...(['mcp2', 'fastmcp4', 'go'] as const).map(
    (key) => [key, '2026-07-28', () => startDriver(key, nobody, {})] as const,
  ),
];

test.for(libraries)(
  '%s of %s opens a session before anybody is connected, and shows the link',
  async ([key, era, start], { skip }) => {
    const absent = whyAbsent(key);
    if (absent) skip(absent);
    const driver = start();
    onTestFinished(() => driver.end());
    await driver.connect({ url: `${gateway.url}/mine/mcp`, era, transport: 'http', token });
    expect(await driver.list()).toMatchObject({ tools: [] });
    const said = await driver.call('anything').then(
      (text) => text,
      (error: unknown) => String(error),
    );
    expect(said).toContain(`${gateway.url}/oauth2/egress/connect?server=%2Fmine`);
  },
);
