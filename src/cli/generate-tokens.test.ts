import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, folderWith, type Said, scripted } from '../../test/cli-trial.ts';
import { shippedTenant, startEmulator } from '../entra-emulator/main.ts';
import { claimsOf } from '../entra-emulator/testing/browser.ts';

const { tenantId, clientId, agents } = shippedTenant;
const scope = `api://${clientId}/.default`;

function identityOf(name: string, agent: { clientId: string; clientSecret: string } = agents.user) {
  return {
    identity_name: name,
    tenant_id: tenantId,
    client_id: agent.clientId,
    client_secret: agent.clientSecret,
    scope,
  };
}

/** A folder with an identities file at the place of the guide, and the emulator. */
async function trial(identities: unknown, env: Record<string, string> = {}) {
  const emulator = await startEmulator({ port: 0 });
  onTestFinished(() => emulator.close());
  const cwd = await folderWith();
  await mkdir(join(cwd, '.oauth-tokens'), { mode: 0o700 });
  const text = typeof identities === 'string' ? identities : JSON.stringify(identities);
  await writeFile(join(cwd, '.oauth-tokens/entra-identities.json'), text, { mode: 0o600 });
  // No gateway of somebody else on this machine.
  const nowhere = { REGISTRY_URL: 'http://127.0.0.1:1' };
  const circumstances = { cwd, env: { ...nowhere, ENTRA_LOGIN_BASE_URL: emulator.origin, ...env } };
  const file = async (name: string) => JSON.parse(await readFile(join(cwd, '.oauth-tokens', name), 'utf8'));
  return { cwd, origin: emulator.origin, file, run: (...argv: string[]) => cli(argv, circumstances) };
}

test('each identity gets a token file in the format of the guide, for its owner only', async () => {
  const { cwd, file, run } = await trial([identityOf('cursor'), identityOf('ci', agents.admin)]);
  const { code, out, err } = await run('generate-tokens');
  expect({ code, out }).toEqual({ code: 0, out: 'Token generation complete: 2/2 successful\n' });
  const { access_token, generated_at, expires_at, ...rest } = await file('cursor.json');
  expect(rest).toEqual({
    ...{ identity_name: 'cursor', token_type: 'Bearer', expires_in: expect.any(Number) },
    ...{ provider: 'entra', tenant_id: tenantId, client_id: agents.user.clientId, scope },
  });
  expect(claimsOf(access_token)).toMatchObject({ tid: tenantId, groups: agents.user.groups });
  expect(Date.parse(expires_at) - Date.parse(generated_at)).toBe(rest.expires_in * 1000);
  expect(claimsOf((await file('ci.json')).access_token).groups).toEqual(agents.admin.groups);
  expect((await stat(join(cwd, '.oauth-tokens/ci.json'))).mode & 0o777).toBe(0o600);
  expect(out + err).not.toContain(access_token.slice(0, 8));
  expect(err).toContain('[SUCCESS] cursor: .oauth-tokens/cursor.json written, expires 2');
});

test('a folder that is not there is made for its owner only, elsewhere too', async () => {
  const { cwd, run } = await trial([identityOf('cursor')]);
  const { code, err } = await run('generate-tokens', '--output-dir', 'some/where');
  expect(code).toBe(0);
  expect(err).not.toContain('warning');
  expect((await stat(join(cwd, 'some/where'))).mode & 0o777).toBe(0o700);
  expect(await readdir(join(cwd, 'some/where'))).toEqual(['cursor.json']);
});

test.skipIf(process.platform === 'win32')('secrets that others can read are warned about', async () => {
  const { cwd, run } = await trial([identityOf('cursor')]);
  await chmod(join(cwd, '.oauth-tokens/entra-identities.json'), 0o640);
  await chmod(join(cwd, '.oauth-tokens'), 0o755);
  const { code, err } = await run('generate-tokens');
  expect(code).toBe(0);
  expect(err).toContain('chmod 600 .oauth-tokens/entra-identities.json');
  expect(err).toContain('chmod 700 .oauth-tokens');
});

test('a failure concerns its identity only: the others get their tokens, and the exit code is 1', async () => {
  const wrong = { ...identityOf('wrong'), client_secret: 'not-the-secret' };
  const { code, out, err } = await (await trial([wrong, identityOf('right')])).run('generate-tokens');
  expect({ code, out }).toEqual({ code: 1, out: 'Token generation complete: 1/2 successful\n' });
  expect(err).toContain('[ERROR] wrong: AADSTS7000215');
  expect(err).toContain(`mcp-gateway app rotate-secret ${agents.user.clientId}`);
  expect(err).not.toContain('not-the-secret');
  expect(err).toContain('[SUCCESS] right');
});

test('without a scope the message shows the right one, with the id of the gateway where it is known', async () => {
  const { scope: _, ...without } = identityOf('cursor');
  const known = await (await trial([without], { ENTRA_CLIENT_ID: clientId })).run('generate-tokens');
  expect(known.code).toBe(1);
  expect(known.err).toContain(`scope is missing or not text; scope is ${scope}`);
  const unknown = await trial([without]);
  expect((await unknown.run('generate-tokens')).err).toContain('scope is api://{APP_CLIENT_ID}/.default');
  await writeFile(join(unknown.cwd, '.env'), `ENTRA_CLIENT_ID=${clientId}\n`);
  expect((await unknown.run('generate-tokens')).err).toContain(`scope is ${scope}`);
});

test.each([
  [{ identity_name: '../evil' }, "letters, digits, '.', '_' and '-' only"],
  [{ identity_name: '..' }, "letters, digits, '.', '_' and '-' only"],
  [{ identity_name: 'a/b' }, "letters, digits, '.', '_' and '-' only"],
  [{ identity_name: 'a\u001b[2J' }, "letters, digits, '.', '_' and '-' only"],
  [{ identity_name: 'entra-identities' }, 'would overwrite the identities file'],
  [{ tenant_id: 'a/b' }, 'tenant_id must be a GUID or a domain name'],
  [{ tenant_id: '' }, 'tenant_id is missing'],
  [{ client_secret: 7, client_id: undefined }, 'client_id, client_secret are missing'],
  [{ scope: 'access_as_user' }, 'must be one that ends in /.default'],
  [{ scope: `api://${agents.user.clientId}/.default` }, 'scope names the identity itself'],
])('an identity with %j is refused before anybody is asked', async (change, why) => {
  const { cwd, run } = await trial([{ ...identityOf('cursor'), ...change }]);
  const { code, err } = await run('generate-tokens', '--debug');
  expect(code).toBe(1);
  expect(err).toContain(why);
  expect(err).not.toContain('\u001b');
  expect(err).not.toContain('POST');
  expect(await readdir(join(cwd, '.oauth-tokens'))).toEqual(['entra-identities.json']);
});

test('identities of one name are all refused, whatever its case', async () => {
  const { run } = await trial([identityOf('cursor'), identityOf('Cursor'), identityOf('other')]);
  const { code, out, err } = await run('generate-tokens');
  expect({ code, out }).toEqual({ code: 1, out: 'Token generation complete: 1/3 successful\n' });
  expect(err.match(/there more than once/g)).toHaveLength(2);
});

test.each([
  ['{', /is not valid JSON: line 1, column 2/],
  ['{"identity_name":"x"}', /is not a JSON array of identities/],
])('the file %j is refused as a whole', async (text, why) => {
  const { code, out, err } = await (await trial(text)).run('generate-tokens');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(why);
});

test('no file is a failure, an empty list a warning', async () => {
  const none = await cli(['generate-tokens'], { cwd: await folderWith() });
  expect(none.code).toBe(1);
  expect(none.err).toContain('The identities file .oauth-tokens/entra-identities.json does not exist.');
  const empty = await (await trial([])).run('generate-tokens');
  expect(empty).toMatchObject({ code: 0, out: 'Token generation complete: 0/0 successful\n' });
  expect(empty.err).toContain('warning: .oauth-tokens/entra-identities.json has no identities in it.');
});

test('with --json there is one document, without tokens and secrets', async () => {
  const { file, run } = await trial([identityOf('cursor'), { identity_name: 'bad' }]);
  const { code, out } = await run('generate-tokens', '--json', '--verbose');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    ...{ successful: 1, total: 2 },
    identities: [
      {
        ...{ identity_name: 'cursor', file: '.oauth-tokens/cursor.json', kept: false, error: null },
        expires_at: (await file('cursor.json')).expires_at,
      },
      {
        ...{ identity_name: 'bad', file: null, kept: false, expires_at: null },
        error: expect.stringContaining('are missing'),
      },
    ],
  });
});

test.each([
  ['http://login.example', 'must be an https:// URL'],
  ['nonsense', 'must be an https:// URL'],
])('secrets do not travel to %s', async (url, why) => {
  const { run } = await trial([identityOf('cursor')]);
  const { code, err } = await run('generate-tokens', '--entra-login-url', url);
  expect(code).toBe(2);
  expect(err).toContain(`--entra-login-url ${why}`);
});

test('a secret does not follow a redirect, and answers that are none of Entra ID say so', async () => {
  const answers: Said[] = [
    { status: 307, headers: { location: 'http://127.0.0.1:1/stolen' } },
    { body: '<h1>Portal</h1>' },
    { body: { token_type: 'Bearer' } },
  ];
  const errors: string[] = [];
  for (const answer of answers) {
    const login = await scripted({ [`POST /${tenantId}/oauth2/v2.0/token`]: answer });
    const { run } = await trial([identityOf('cursor')]);
    const { code, err } = await run('generate-tokens', '--entra-login-url', login.url);
    expect(code).toBe(1);
    errors.push(err);
  }
  expect(errors[0]).toContain('could not be reached');
  expect(errors[1]).toContain('answered 200 without saying why');
  expect(errors[2]).toContain('answered without an access token');
});

test('no more than eight are asked for at the same time', async () => {
  let [now, most] = [0, 0];
  const waiting: (() => void)[] = [];
  const login = await scripted({
    [`POST /${tenantId}/oauth2/v2.0/token`]: async () => {
      now += 1;
      most = Math.max(most, now);
      if (now === 8) for (const go of waiting.splice(0)) go();
      else if (most < 8) await new Promise<void>((go) => waiting.push(go));
      now -= 1;
      return { body: { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 3599 } };
    },
  });
  const { run } = await trial(Array.from({ length: 20 }, (_, index) => identityOf(`agent-${index}`)));
  const { out } = await run('generate-tokens', '--entra-login-url', login.url);
  expect(out).toContain('20/20 successful');
  expect(most).toBe(8);
});

test('generate-creds keeps what is good for a while, unless forced or the identity has changed', async () => {
  const { cwd, file, run } = await trial([identityOf('cursor')], { AUTH_PROVIDER: 'entra' });
  expect((await run('generate-creds')).code).toBe(0);
  const first = (await file('cursor.json')).access_token;
  expect((await run('generate-creds')).err).toContain('still good');
  expect((await file('cursor.json')).access_token).toBe(first);
  expect((await run('generate-creds', '--force')).err).toContain('written');
  const second = (await file('cursor.json')).access_token;
  expect(second).not.toBe(first);
  await writeFile(
    join(cwd, '.oauth-tokens/entra-identities.json'),
    JSON.stringify([identityOf('cursor', agents.admin)]),
  );
  expect((await run('generate-creds')).err).toContain('written');
  expect((await file('cursor.json')).client_id).toBe(agents.admin.clientId);
});

test('generate-creds needs a provider that it knows', async () => {
  const { run } = await trial([]);
  expect(await run('generate-creds')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Set AUTH_PROVIDER=entra in .env'),
  });
  expect((await run('generate-creds', '-a', 'keycloak')).code).toBe(2);
  expect((await run('generate-creds', '-a', 'entra')).code).toBe(0);
});

test('an identity for another gateway or tenant is doubted, not refused', async () => {
  const { run } = await trial([identityOf('cursor')]);
  const other = '11111111-2222-4333-8444-555555555555';
  const argv = ['-a', 'entra', '--entra-client-id', other, '--entra-tenant-id', other];
  const { code, err } = await run('generate-creds', ...argv);
  expect(code).toBe(0);
  expect(err).toContain(`its scope is not the one of this gateway, api://${other}/.default`);
  expect(err).toContain(`its tenant is not the one of this gateway, ${other}`);
});

test('against an evaluation gateway on this machine the emulator is found, by both commands', async () => {
  const { cwd, origin } = await trial([identityOf('cursor')]);
  const gateway = createServer((req, res) => {
    const isSignIn = req.url === '/oauth2/login/entra';
    res.writeHead(
      isSignIn ? 302 : 200,
      isSignIn ? { location: `${origin}/t/authorize?x=1` } : { 'content-type': 'application/json' },
    );
    res.end(isSignIn ? '' : JSON.stringify({ evaluation: true, providers: [] }));
  });
  await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
  onTestFinished(() => void gateway.close());
  const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  for (const command of ['generate-tokens', 'generate-creds']) {
    const { code, out, err } = await cli([command, '--registry-url', url], { cwd });
    expect({ code, out, err }).toMatchObject({ code: 0, out: 'Token generation complete: 1/1 successful\n' });
  }
});

test('where settings name a tenant the emulator is not looked for', async () => {
  const { cwd } = await trial([identityOf('cursor')]);
  const { err } = await cli(['generate-tokens', '--registry-url', 'http://127.0.0.1:9'], {
    cwd,
    env: { AUTH_PROVIDER: 'entra', ENTRA_LOGIN_BASE_URL: 'https://localhost:9' },
  });
  expect(err).toContain('localhost:9 could not be reached');
});
