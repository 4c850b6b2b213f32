import { expect, test } from 'vitest';
import { aServer, cli, scripted } from '../../../test/cli-trial.ts';

const changed = aServer({
  auth_scheme: 'bearer',
  auth_header_name: 'Authorization',
  custom_header_names: ['X-A'],
});

async function run(argv: string[], stdin = '') {
  const bodies: string[] = [];
  const registry = await scripted({
    'PATCH /api/servers/currenttime/auth-credential': ({ text }) => {
      bodies.push(text);
      return { body: changed };
    },
  });
  const line = ['server-update-credential', '--path', '/currenttime', ...argv];
  return { ...(await cli(line, { registry, stdin })), bodies: bodies.map((body) => JSON.parse(body)) };
}

test('server-update-credential reads the credential from standard input and shows names only', async () => {
  const argv = ['--auth-scheme', 'bearer', '--credential-stdin', '--custom-header', 'X-A=1=2'];
  const { code, out, err, bodies } = await run(argv, 's3cret\n');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(bodies).toEqual([
    { auth_scheme: 'bearer', auth_credential: 's3cret', custom_headers: [{ name: 'X-A', value: '1=2' }] },
  ]);
  expect(out).toBe('/currenttime: the gateway sends Authorization, X-A with every request.\n');
});

test('server-update-credential sends only what is given', async () => {
  const { bodies } = await run(['--auth-scheme', 'api_key', '--auth-header-name', 'X-Key']);
  expect(bodies).toEqual([{ auth_scheme: 'api_key', auth_header_name: 'X-Key' }]);
});

test('a header without a value and an empty input are misuse, and nothing is sent', async () => {
  const wrong = await run(['--auth-scheme', 'none', '--custom-header', 's3cret']);
  expect(wrong.code).toBe(2);
  expect(wrong.err).not.toContain('s3cret');
  expect((await run(['--auth-scheme', 'bearer', '--credential-stdin'], '\n')).code).toBe(2);
  expect([...wrong.bodies]).toEqual([]);
});

test('rotate-secrets tells what it did, and fails when something could not be read', async () => {
  const got: unknown[] = [];
  const dataKeys = { kms: 'embedded', rewrapped: 1, made: false, retired: 0 };
  const rotateSecrets = async (options: { dataDir?: string }) => {
    got.push(options);
    return { rotated: 2, current: 1, unreadable: got.length > 1 ? ['/a'] : [], dataKeys };
  };
  const fine = await cli(['rotate-secrets', '--data-dir', 'data'], { world: { rotateSecrets }, cwd: '/srv' });
  expect(fine).toEqual({
    code: 0,
    err: '',
    out: '2 re-encrypted, 1 already used the current key. Data keys (embedded): 1 rewrapped, none made, 0 retired.\n',
  });
  const lost = await cli(['rotate-secrets', '--new-data-key'], { world: { rotateSecrets } });
  expect(lost.code).toBe(1);
  expect(lost.err).toContain('/a');
  expect(got).toEqual([{ dataDir: '/srv/data' }, { newDataKey: true }]);
});

test('a credential on the command line works, with a warning that others see it', async () => {
  const { code, err, bodies } = await run(['--auth-scheme', 'bearer', '--credential', 's3cret']);
  expect(code).toBe(0);
  expect(bodies).toEqual([{ auth_scheme: 'bearer', auth_credential: 's3cret' }]);
  expect(err).toContain('--credential is visible to others on this machine');
  expect(err).not.toContain('s3cret');
  const both = await run(['--auth-scheme', 'bearer', '--credential', 'a', '--credential-stdin'], 'b');
  expect(both).toMatchObject({ code: 2, bodies: [] });
});
