import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { uiPermissions } from '../../contract/permissions.ts';
import { callableTools, decide } from './decide.ts';
import { accessOf, compile } from './grants.ts';
import { parseScopes } from './scope-set.ts';

// The shipped scope file is what operators copy: these tables hold it to the roles that the setup guide describes.
const grants = compile(parseScopes(readFileSync('examples/scopes.yml', 'utf8'), 'examples/scopes.yml'));

const groups = {
  admin: '16c7e67e-e8ae-498c-ba2e-0593c0159e43',
  user: '62c07ac1-03d0-4924-90c7-a0255f23bd1d',
  developer: 'd3a7c1de-0000-4000-8000-000000000de5',
  operator: '09e7a705-0000-4000-8000-0000000009e5',
} as const;

type Role = keyof typeof groups;
const roles = Object.keys(groups) as Role[];
const demo = 'currenttime';
const other = 'everything';

/** Permission, then per role where it holds. */
const permissionTable: Record<
  (typeof uiPermissions)[number],
  Record<Exclude<Role, 'admin'>, 'all' | 'demo' | 'none'>
> = {
  list_service: { user: 'demo', developer: 'all', operator: 'all' },
  get_service: { user: 'none', developer: 'none', operator: 'none' },
  register_service: { user: 'none', developer: 'all', operator: 'none' },
  modify_service: { user: 'none', developer: 'none', operator: 'none' },
  toggle_service: { user: 'none', developer: 'none', operator: 'all' },
  health_check_service: { user: 'demo', developer: 'all', operator: 'all' },
  delete_service: { user: 'none', developer: 'none', operator: 'none' },
  list_tools: { user: 'none', developer: 'none', operator: 'none' },
  call_tool: { user: 'none', developer: 'none', operator: 'none' },
  list_agents: { user: 'none', developer: 'none', operator: 'none' },
  get_agent: { user: 'none', developer: 'none', operator: 'none' },
  publish_agent: { user: 'none', developer: 'none', operator: 'none' },
  modify_agent: { user: 'none', developer: 'none', operator: 'none' },
  delete_agent: { user: 'none', developer: 'none', operator: 'none' },
  list_virtual_server: { user: 'none', developer: 'none', operator: 'none' },
  create_virtual_server: { user: 'none', developer: 'none', operator: 'none' },
  modify_virtual_server: { user: 'none', developer: 'none', operator: 'none' },
  delete_virtual_server: { user: 'none', developer: 'none', operator: 'none' },
  read_audit: { user: 'none', developer: 'none', operator: 'none' },
};

describe.each(roles)('%s in the registry', (role) => {
  const access = accessOf({ groups: [groups[role]] }, grants);

  test.each(uiPermissions)('%s', (permission) => {
    const where = role === 'admin' ? 'all' : permissionTable[permission][role];
    expect([access.may(permission, demo), access.may(permission, other), access.may(permission)]).toEqual([
      where !== 'none',
      where === 'all',
      where !== 'none',
    ]);
  });

  test('is an administrator only as admin', () => {
    expect(access.isAdmin).toBe(role === 'admin');
  });
});

const read = [
  'initialize',
  'notifications/initialized',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
  'completion/complete',
  'logging/setLevel',
];
const session = [
  'notifications/cancelled',
  'server/discover',
  'subscriptions/listen',
  '$stream',
  '$end',
  '$response',
];
const unnamed = ['prompts/get', 'resources/read', 'tasks/cancel'];

describe.each(roles)('%s on MCP servers', (role) => {
  const subject = { groups: [groups[role]] };
  const may = (server: string, method: string, tool?: string) =>
    decide(subject, { server, method, tool }, grants).allow;

  test.each([...read, ...session])('may %s on the demo server, on others only as admin', (method) => {
    expect([may(demo, method), may(other, method)]).toEqual([true, role === 'admin']);
  });

  test.each(unnamed)('may %s only as admin', (method) => {
    expect([may(demo, method), may(other, method)]).toEqual([role === 'admin', role === 'admin']);
  });

  test('may call tools unless a plain user, and on other servers only as admin', () => {
    expect([may(demo, 'tools/call', 'current_time_by_timezone'), may(other, 'tools/call', 'echo')]).toEqual([
      role !== 'user',
      role === 'admin',
    ]);
  });

  test('sees in lists the tools it may call', () => {
    const tools = [{ name: 'current_time_by_timezone' }, { name: 'slow' }];
    expect(callableTools(subject, demo, tools, grants)).toEqual(role === 'user' ? [] : tools);
    expect(callableTools(subject, other, tools, grants)).toEqual(role === 'admin' ? tools : []);
  });
});

describe('somebody in no group', () => {
  const subject = { groups: [] };

  test('may do nothing in the registry', () => {
    const access = accessOf(subject, grants);
    expect(access.scopes).toEqual([]);
    expect(uiPermissions.filter((permission) => access.may(permission))).toEqual([]);
  });

  test('may ask nothing of any server', () => {
    for (const method of [...read, ...session, ...unnamed])
      expect(decide(subject, { server: demo, method }, grants)).toEqual({
        allow: false,
        reason: 'no-scopes',
      });
  });
});

test('no read scope has tools/call', () => {
  for (const level of ['mcp-servers-unrestricted/read', 'mcp-servers-restricted/read']) {
    const subject = { groups: Object.values(groups), limitedTo: [level] };
    expect(decide(subject, { server: demo, method: 'tools/list' }, grants).allow).toBe(true);
    expect(decide(subject, { server: demo, method: 'tools/call', tool: 'x' }, grants)).toEqual({
      allow: false,
      reason: 'method',
    });
  }
});
