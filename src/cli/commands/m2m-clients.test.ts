import { expect, test } from 'vitest';
import { cli, type Said, scripted } from '../../../test/cli-trial.ts';
import { m2mClientEndpoints } from '../../contract/people/m2m-clients.ts';

const client = m2mClientEndpoints['m2mClients.get'].output.parse({
  ...{ client_id: 'robot.1', client_name: 'Robot', description: 'Drives', groups: ['team', 'g2'] },
  ...{ provider: 'manual', identity_provider: 'entra', enabled: true, created_by: 'alice' },
  ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' },
});

/** A registry with one application, which remembers what it was sent. */
async function trial() {
  const bodies: unknown[] = [];
  const kept =
    (said: Said) =>
    ({ text }: { text: string }): Said => {
      bodies.push(text && JSON.parse(text));
      return said;
    };
  const registry = await scripted({
    'POST /api/iam/m2m-clients': kept({ status: 201, body: client }),
    'GET /api/iam/m2m-clients': { body: { total: 3, limit: 1, skip: 1, items: [client] } },
    'GET /api/iam/m2m-clients/robot.1': { body: client },
    'PATCH /api/iam/m2m-clients/robot.1': kept({ body: client }),
    'DELETE /api/iam/m2m-clients/robot.1': kept({ status: 204 }),
  });
  return { registry, bodies, run: (...argv: string[]) => cli(argv, { registry }) };
}

test('m2m-client-create sends what is given, and shows the record', async () => {
  const { run, bodies } = await trial();
  const flags = ['--client-id', 'robot.1', '--client-name', 'Robot'];
  const { code, out } = await run('m2m-client-create', ...flags, '--groups', 'team,g2,team');
  expect(code).toBe(0);
  expect(out).toMatch(/Client ID: +robot\.1\n.*Groups: +team, g2\n.*For tokens of: +entra\n/s);
  await run('m2m-client-create', ...flags, '--description', 'Drives');
  expect(bodies).toEqual([
    { client_id: 'robot.1', client_name: 'Robot', groups: ['team', 'g2'] },
    { client_id: 'robot.1', client_name: 'Robot', groups: [], description: 'Drives' },
  ]);
});

test('the provider whose tokens are meant is passed on', async () => {
  const { run, bodies, registry } = await trial();
  const flags = ['--client-id', 'robot.1', '--identity-provider', 'keycloak'];
  await run('m2m-client-create', ...flags, '--client-name', 'Robot');
  expect(bodies).toEqual([
    { client_id: 'robot.1', client_name: 'Robot', groups: [], identity_provider: 'keycloak' },
  ]);
  await run('m2m-client-get', ...flags);
  await run('m2m-client-update', ...flags, '--groups', 'x');
  await run('m2m-client-delete', ...flags, '--force');
  expect(registry.asked.slice(1)).toEqual(
    ['GET', 'PATCH', 'GET', 'DELETE'].map(
      (method) => `${method} /api/iam/m2m-clients/robot.1?identity_provider=keycloak`,
    ),
  );
});

test('m2m-client-list and -get show records, or them as JSON', async () => {
  const { run, registry } = await trial();
  const { out, err } = await run('m2m-client-list', '--provider', 'manual', '--limit', '1', '--skip', '1');
  expect(out.split('\n')[1]).toBe('robot.1    Robot  yes      manual    team, g2  Drives');
  expect(err).toBe('2 to 2 of 3; for more: --skip 2\n');
  expect(registry.asked).toEqual(['GET /api/iam/m2m-clients?provider=manual&limit=1&skip=1']);
  expect(JSON.parse((await run('m2m-client-list', '--json')).out).items).toEqual([client]);
  expect(JSON.parse((await run('m2m-client-get', '--client-id', 'robot.1', '--json')).out)).toEqual(client);
  const none = await run('m2m-client-get', '--client-id', 'none');
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('mcp-gateway app list') });
});

test('m2m-client-update sends only what is given; an empty list clears the groups', async () => {
  const { run, bodies } = await trial();
  const line = ['m2m-client-update', '--client-id', 'robot.1'];
  expect((await run(...line, '--groups', '')).code).toBe(0);
  expect((await run(...line, '--enabled', 'false', '--client-name', 'R', '--description', '')).code).toBe(0);
  expect(bodies).toEqual([{ groups: [] }, { client_name: 'R', description: '', enabled: false }]);
  expect(await run(...line)).toMatchObject({ code: 2, err: expect.stringContaining('Nothing to change') });
  expect((await run(...line, '--enabled', 'maybe')).code).toBe(2);
});

test('m2m-client-delete asks first, and --force does not', async () => {
  const { run, registry, bodies } = await trial();
  const line = ['m2m-client-delete', '--client-id', 'robot.1'];
  const no = await cli(line, { registry, stdin: 'no\n', tty: true });
  expect([no.code, no.out, bodies]).toEqual([0, '', []]);
  expect((await run(...line)).code).toBe(2);
  expect(await run(...line, '--force')).toMatchObject({ code: 0, out: 'Removed Robot.\n' });
  expect(bodies).toHaveLength(1);
});

test('app get and app remove take a name too, and remove undoes what app create did', async () => {
  const made = { ...client, client_id: 'id-7', client_name: 'my agent', provider: 'entra' };
  const registry = await scripted({
    'GET /api/iam/m2m-clients': { body: { total: 3, limit: 1000, skip: 0, items: [client, made, made] } },
    'DELETE /api/iam/m2m-clients/robot.1': { status: 204 },
    'GET /api/iam/m2m-clients/id-7': { body: made },
    'DELETE /api/management/iam/users/id-7': { body: { username: 'my agent', deleted: true } },
  });
  expect((await cli(['app', 'get', 'Robot', '-o', 'name'], { registry })).out).toBe('robot.1\n');
  expect((await cli(['app', 'remove', 'Robot', '-y'], { registry })).out).toBe('Removed Robot.\n');
  const { code, out } = await cli(['app', 'remove', 'id-7', '-y'], { registry });
  expect([code, out]).toEqual([0, 'Removed my agent and its account in entra.\n']);
  expect(registry.asked.filter((one) => one.startsWith('DELETE'))).toEqual([
    'DELETE /api/iam/m2m-clients/robot.1',
    'DELETE /api/management/iam/users/id-7',
  ]);
  // Two have the name: which one is meant has to be said by its id.
  expect((await cli(['app', 'get', 'my agent'], { registry })).err).toContain('mcp-gateway app list');
});
