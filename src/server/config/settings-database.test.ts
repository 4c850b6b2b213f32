import { expect, test } from 'vitest';
import { readPostgresAddress } from './settings-database.ts';

test.each([
  ['postgres://u:p@db/x', ['postgres://u:p@db/x'], false],
  ['postgresql://db/x?target_session_attrs=read-write', ['postgresql://db/x'], true],
  ['postgres://db/x?target_session_attrs=any', ['postgres://db/x'], false],
  ['postgres://u:p%40,@a:1,b:2/x', ['postgres://u:p%40,@a:1/x', 'postgres://u:p%40,@b:2/x'], true],
  [
    'postgres://a:1,[::1]:2,c/x?sslmode=require&target_session_attrs=primary',
    [
      'postgres://a:1/x?sslmode=require',
      'postgres://[::1]:2/x?sslmode=require',
      'postgres://c/x?sslmode=require',
    ],
    true,
  ],
  ['postgres:///x?host=/run/postgresql', ['postgres:///x?host=/run/postgresql'], false],
])('%s', (value, servers, isAsked) => {
  const address = readPostgresAddress(value);
  if (typeof address === 'string') throw new Error(address);
  expect([address.servers.map(({ href }) => href.replaceAll('%2F', '/')), address.isAsked]).toEqual([
    servers,
    isAsked,
  ]);
});

test.each([
  ['postgres://db', 'is not an address'],
  ['postgres://a:1,b:x/x', 'is not an address'],
  ['mysql://a,b/x', 'is not an address'],
  ['postgres://a,,b/x', 'empty host'],
  ['postgres://a,b/x?target_session_attrs=standby', 'target_session_attrs=standby'],
])('%s is refused: %s', (value, why) => {
  expect(readPostgresAddress(value)).toContain(why);
});
