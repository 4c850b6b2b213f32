import { expect, onTestFinished, test } from 'vitest';
import type { EntraRecord } from '../../contract/diagnosis/entra-record.ts';
import { shippedSeed, startEmulator } from '../../entra-emulator/main.ts';
import { sentence, shapeOf } from '../iam/entra/record/shape.ts';
import type { Fetch } from '../net/outbound.ts';
import { compareWithEmulator, recordOf } from './entra-record.ts';

const send: Fetch = (url, init) => fetch(url, init);
const record = await recordOf(false, send);
const copy = (): EntraRecord => JSON.parse(JSON.stringify(record));

/** An answer, to be changed. */
type Answer = { headers: Record<string, string>; body: object; token: { claims: object } };

/** Every text of the tenant that could tell whose it is. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

test('a record has names and words of the protocol, and nothing that tells whose tenant it is', () => {
  const text = JSON.stringify(
    record.observations.map(({ body, headers, token }) => ({ body, headers, token })),
  );
  expect(record.observations.length).toBeGreaterThan(20);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}|https?:|eyJ|\w@\w/i);
  const tenant = shippedSeed().tenants[0];
  const names = [
    tenant?.displayName,
    tenant?.domains,
    tenant?.users,
    tenant?.groups,
    tenant?.applications?.map(({ displayName, appId, passwordCredentials }) => [
      displayName,
      appId,
      passwordCredentials,
    ]),
  ];
  const own = textsOf(names).filter(
    (one) => one.length > 5 && !/^(Member|Guest|Emulator)$|^[a-z ,]+$/i.test(one),
  );
  expect(own.length).toBeGreaterThan(50);
  expect(own.filter((one) => text.includes(JSON.stringify(one).slice(1, -1)))).toEqual([]);
  expect(text).not.toContain('Contoso');
  // What matters is there.
  expect(text).toContain('AADSTS7000215: Invalid client secret provided.');
  expect(record.observations.find(({ id }) => id === 'agent-token')?.token?.claims).toMatchObject({
    ver: '2.0',
    oid: '<guid>',
    iat: '<number>',
  });
});

test.each([
  [
    'AADSTS500011: The resource principal named api://secret.example was not found in the tenant named Contoso Ltd. This can happen',
    /Contoso|secret/,
  ],
  [
    "AADSTS700016: Application with identifier '1' was not found in the directory 'Fabrikam, Inc.'.",
    /Fabrikam/,
  ],
  [
    'AADSTS50020: User account alice@contoso.com from identity provider live.com does not exist',
    /alice|contoso/,
  ],
  ['The tenant for Contoso at login.contoso.com has id abcdef0123456789abcdef', /contoso\.com|abcdef0/],
])('%j loses its names', (text, names) => {
  expect(sentence(text)).not.toMatch(names);
  expect(JSON.stringify(shapeOf({ error_description: text, error: { message: text } }))).not.toMatch(names);
});

test('the values of a tenant are placeholders, whatever their member is called', () => {
  const shape = JSON.stringify(
    shapeOf({
      error: 'contoso secret project',
      code: '7e4a0000-e000-4000-8000-0000000000ee',
      ver: 'https://contoso.example',
      [`extension_${'ab12'.repeat(8)}_costCentre`]: 'Berlin 7',
      roles: ['Contoso.Admin', 'Contoso.User'],
    }),
  );
  expect(shape).not.toMatch(/contoso|7e4a|ab12|Berlin/i);
  expect(shape).toContain('extension_<id>_costCentre');
});

test('the emulator does as it does itself', async () => {
  const all = await compareWithEmulator(copy(), send);
  expect(all.filter(({ verdict }) => verdict !== 'same')).toEqual([]);
});

test('every change of a record is found: status, header, error, claim, member, question', async () => {
  const changed = copy();
  const of = (id: string) => changed.observations.find((one) => one.id === id) as never as Answer;
  Object.assign(of('wrong-secret'), { status: 400 });
  delete of('no-secret').headers['x-ms-ests-server'];
  Object.assign(of('dead-code').body, { error: 'invalid_grant_of_another_kind' });
  Object.assign(of('agent-token').token.claims, { xms_new: '<text>' });
  Object.assign(of('keys-v2').body, { keys: [] });
  changed.observations = changed.observations.filter(({ id }) => id !== 'graph-me');
  const found = (await compareWithEmulator(changed, send)).filter(({ verdict }) => verdict !== 'same');
  expect(found.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['keys-v2', 'different'],
    ['agent-token', 'different'],
    ['wrong-secret', 'different'],
    ['no-secret', 'different'],
    ['dead-code', 'different'],
    ['graph-me', 'missing'],
  ]);
  expect(found[1]?.differences).toEqual(['token.claims.xms_new: recorded "<text>", emulator nothing']);
});

test('what only the strict mode does is named as decided', async () => {
  const worst = await recordOf(true, send);
  const found = (await compareWithEmulator(worst, send)).filter(({ verdict }) => verdict !== 'same');
  expect(found.map(({ id, verdict }) => [id, verdict])).toEqual([['device-code-confidential', 'strict']]);
});

test('what is no record is refused with how to make one', async () => {
  await expect(compareWithEmulator({ observations: [] }, send)).rejects.toThrow(/doctor entra --record/);
});

test('an emulator whose port is in use says so, with the setting that chooses another', async () => {
  const first = await startEmulator();
  onTestFinished(() => first.close());
  const { port } = new URL(first.origin);
  await expect(startEmulator({ port: Number(port) })).rejects.toThrow(
    new RegExp(`the port ${port} on .* is in use; choose another with ENTRA_EMULATOR_PORT`),
  );
});
