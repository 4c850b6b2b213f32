import { expect, test } from 'vitest';
import type { Caller } from '../../access/caller.ts';
import { compile } from '../../access/grants.ts';
import { openMemory } from '../../db/open.ts';
import type { Identity } from '../../identity/identity.ts';
import { favouriteHandlers } from './handlers.ts';

const caller = (subject: string) =>
  ({ identity: { provider: 'entra', subject } as Identity }) as Caller<Identity>;

test('each person keeps favourites of their own, newest first, up to a limit', async () => {
  const { db, close } = await openMemory();
  let time = 0;
  const handlers = favouriteHandlers({ db, now: () => time++, grants: () => compile(new Map()) });
  const add = (subject: string, path: string) =>
    handlers['favourites.add'](
      { params: { kind: 'server', path }, query: {}, body: undefined },
      caller(subject),
    );
  const list = (subject: string) =>
    handlers['favourites.list']({ params: {}, query: {}, body: undefined }, caller(subject));
  await add('a', '/one');
  await add('a', '/two');
  await add('a', '/one');
  await add('b', '/three');
  expect(await list('a')).toEqual({
    favourites: [
      { kind: 'server', path: '/two' },
      { kind: 'server', path: '/one' },
    ],
  });
  await handlers['favourites.remove'](
    { params: { kind: 'server', path: '/two' }, query: {}, body: undefined },
    caller('b'),
  );
  expect(await list('a')).toMatchObject({ favourites: [{ path: '/two' }, { path: '/one' }] });
  for (let n = 2; n < 500; n += 1) await add('a', `/n${n}`);
  await expect(add('a', '/too-many')).rejects.toMatchObject({ code: 'too_many_requests' });
  await close();
});
