import { expect, test } from 'vitest';
import { compile } from '../../access/grants.ts';
import { openMemory } from '../../db/open.ts';
import { oauthClientHandlers } from './handlers.ts';

test('a program that acts for itself and gets power, by each way, is noted as an administrator grant', async () => {
  const scope = { serverRules: [], agentRules: [], uiPermissions: {}, groupMappings: ['admins'] };
  const grants = compile(new Map([['registry-admins', { name: 'registry-admins', ...scope }]]));
  const { db, close } = await openMemory();
  const handlers = oauthClientHandlers({ db, now: () => 0, grants: () => grants });
  const notes: Readonly<Record<string, unknown>>[] = [];
  const caller = {
    identity: { username: 'alice' },
    note: (one: object) => void notes.push({ ...one }),
  } as never;
  const client = {
    ...{ client_name: 'bot', redirect_uris: [], token_endpoint_auth_method: 'client_secret_basic' },
    ...{ client_credentials: true, token_exchange: false, jwt_bearer: false },
  };
  const create = (alias: string, groups: string[]) =>
    handlers['oauthClients.create']({ body: { ...client, alias, groups } } as never, caller);
  const change = (client_id: string, body: object) =>
    handlers['oauthClients.change']({ params: { client_id }, body } as never, caller);
  const told = () => notes.splice(0).map(({ admin_grant }) => admin_grant === true);

  await create('made', ['admins']);
  await create('plain', ['others']);
  expect(told()).toEqual([true, false]);
  await change('plain', { groups: ['others', 'admins'] });
  await change('plain', { alias: 'renamed' });
  expect(told()).toEqual([true, false]);
  await change('made', { status: 'blocked' });
  await change('made', { status: 'approved' });
  expect(told()).toEqual([false, true]);
  await close();
});
