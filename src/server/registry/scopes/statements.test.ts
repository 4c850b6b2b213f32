import { expect, test } from 'vitest';
import { accessOf } from '../../access/grants.ts';
import { parseScopes, type Scope } from '../../access/scope-set.ts';
import { watched } from '../../db/watched.test-support.ts';
import type { Identity } from '../../identity/identity.ts';
import { changeScopes } from './change.ts';
import { startTrial } from './scopes.test-support.ts';

test('an edit of a scope takes three statements', async () => {
  const name = 'mail';
  const trial = await startTrial();
  const { db, said } = watched(trial.database.db);
  const world = { db, scopes: trial.scopes, now: () => Date.UTC(2026, 0, 2) };
  const identity = { username: 'alice', groups: ['admins'] } as unknown as Identity;
  const access = accessOf(identity, trial.scopes.grants());
  const caller = { identity, access, correlationId: 'c', note: () => {} };
  const text = `${name}: [{ server: mail, methods: [all], tools: [all] }]\ngroup_mappings: { readers: [${name}] }`;
  const scope = parseScopes(text, 'scopes.yml').get(name) as Scope;
  const plan = (description: string) => () =>
    new Map([[name, { scope: { ...scope, description }, idpGroupId: null }]]);
  for (const description of ['first', 'second']) {
    said.length = 0;
    const done = await changeScopes(world, caller, plan(description));
    expect(done.stored.get(name)).toMatchObject({ source: 'api', scope: { description } });
    // PostgreSQL lets edits wait for each other by a lock of their own.
    const edit = ['Select scopes', 'Insert scopes', 'Insert changes'];
    expect(said.filter((one) => one !== 'Insert leases')).toEqual(edit);
  }
  await trial.close();
});
