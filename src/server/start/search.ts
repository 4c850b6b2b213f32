import { nameOfPath } from '../../contract/servers.ts';
import { decide } from '../access/decide.ts';
import { type Grants, holdingOf } from '../access/grants.ts';
import type { Identity } from '../identity/identity.ts';
import { createFinder, type Finder } from '../search/finder.ts';
import { followDatabase } from '../search/follow.ts';
import { createEngine } from '../search/search.ts';
import type { Rights } from '../search/view.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';

/** Builds the search: its index follows the database, and it shows what the same decisions allow that calls are made by. */
export function buildSearch(base: Base, grants: () => Grants, ending: Ending): Finder<Identity> {
  const { config, db, feed, log, now } = base;
  const engine = createEngine();
  const following = followDatabase(engine, { db, feed, log });
  ending.defer(() => following.close());
  return createFinder<Identity>({
    ...{ engine, now, ready: following.ready, perMinute: config.search.perMinute },
    rightsOf: (who) => rightsOf(who, grants()),
    nameOf: ({ provider, subject }) => `${provider} ${subject}`,
  });
}

const listing = {
  server: 'list_service',
  agent: 'list_agents',
  virtual_server: 'list_virtual_server',
} as const;

/** What somebody may find: servers and agents that they may list, tools that they may call. */
function rightsOf(who: Identity, grants: Grants): Rights {
  const holding = holdingOf(who, grants);
  return {
    key: holding,
    maySee(kind, path) {
      return holding.access.may(listing[kind], nameOfPath(path));
    },
    mayCall: (path, tool) =>
      decide(who, { server: nameOfPath(path), method: 'tools/call', tool }, grants).allow,
  };
}
