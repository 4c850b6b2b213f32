import { randomUUID } from 'node:crypto';
import type { Capabilities, Directory } from '../directory.ts';
import { keycloakGroups } from './groups.ts';
import { keycloakMemberships } from './memberships.ts';
import { createRealmApi } from './realm-api.ts';
import { keycloakUsers } from './users.ts';

interface Group {
  id: string;
  name: string;
  path: string;
  parent: string | null;
}

/** A realm in memory as its Admin REST API shows it: people, a tree of groups, memberships. */
export interface TrialRealm {
  readonly groups: Map<string, Group>;
  readonly users: Map<string, { id: string; username: string; email: string; enabled: boolean }>;
  /** Group ids by user id. */
  readonly members: Map<string, Set<string>>;
  readonly directory: Directory;
  /** Adds a group below another; answers its id. */
  groupBelow(parent: string | null, name: string): string;
}

const all: Capabilities = {
  ...{ readUsers: true, writeUsers: true, readGroups: true, writeGroups: true, writeMemberships: true },
  ...{ writeServiceAccounts: true, writeServiceMemberships: true, assignRoles: true, missing: [] },
};

/** Makes one; tokens of it name groups by their path, or by their name alone. */
export function trialRealm(naming: 'path' | 'name' = 'path'): TrialRealm {
  const groups: TrialRealm['groups'] = new Map();
  const users: TrialRealm['users'] = new Map();
  const members: TrialRealm['members'] = new Map();
  const groupBelow = (parent: string | null, name: string): string => {
    const id = randomUUID();
    groups.set(id, { id, name, parent, path: `${parent ? groups.get(parent)?.path : ''}/${name}` });
    return id;
  };
  const childrenOf = (id: string): Group[] => [...groups.values()].filter(({ parent }) => parent === id);
  const removeTree = (id: string): boolean => {
    for (const child of childrenOf(id)) removeTree(child.id);
    for (const held of members.values()) held.delete(id);
    return groups.delete(id);
  };
  const groupsOf = (user: string): Set<string> => {
    const held = members.get(user) ?? new Set();
    members.set(user, held);
    return held;
  };
  const created = (path: string) => new Response(null, { status: 201, headers: { location: path } });
  const gone = () => Response.json({ error: 'not found' }, { status: 404 });
  const done = (isThere: boolean) => (isThere ? new Response(null, { status: 204 }) : gone());
  const ofGroups = (method: string, id: string, rest: string | undefined, body: { name: string }) => {
    if (method === 'POST') return created(`/groups/${groupBelow(null, body.name)}`);
    if (method === 'DELETE') return done(removeTree(id));
    if (method === 'PUT') return done(groups.has(id));
    if (rest === 'children') return Response.json(childrenOf(id));
    if (rest === 'members')
      return Response.json([...users.values()].filter((one) => groupsOf(one.id).has(id)));
    const found = groups.get(id);
    return found ? Response.json(found) : gone();
  };
  const ofUsers = (method: string, [id = '', rest, group = '']: string[], body: object) => {
    if (method === 'POST') {
      const made = { id: randomUUID(), username: '', email: '', ...body, enabled: true };
      users.set(made.id, made);
      return created(`/users/${made.id}`);
    }
    if (method === 'PUT') return done(Boolean(groupsOf(id).add(group)));
    if (method === 'DELETE') return done(rest ? groupsOf(id).delete(group) : users.delete(id));
    if (rest === 'groups') return Response.json([...groupsOf(id)].flatMap((one) => groups.get(one) ?? []));
    const found = users.get(id);
    return found ? Response.json(found) : gone();
  };
  const answer = (method: string, url: URL, body: { name: string }): Response => {
    const [kind, ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const asked = url.searchParams;
    if (kind === 'group-by-path') {
      const found = [...groups.values()].find(({ path }) => path === `/${rest.join('/')}`);
      return found ? Response.json(found) : gone();
    }
    if (method === 'GET' && rest.length === 0 && kind === 'groups')
      return Response.json([...groups.values()].filter(({ name }) => name === asked.get('search')));
    if (method === 'GET' && rest.length === 0)
      return Response.json(
        [...users.values()].filter(
          ({ username, email }) => username === asked.get('username') || email === asked.get('email'),
        ),
      );
    return kind === 'groups' ? ofGroups(method, rest[0] ?? '', rest[1], body) : ofUsers(method, rest, body);
  };
  const api = createRealmApi('https://keycloak.example.com', async () => 'token', {
    fetch: async (url, init) =>
      answer(init?.method ?? 'GET', new URL(url), JSON.parse(String(init?.body ?? '{}'))),
    pause: async () => {},
  });
  const directory: Directory = {
    provider: 'keycloak',
    capabilities: async () => all,
    users: keycloakUsers(api),
    groups: keycloakGroups(api, async () => naming),
    memberships: keycloakMemberships(api, async () => naming),
  };
  return { groups, users, members, directory, groupBelow };
}
