import { showing } from '../../contract/permissions.ts';
import { nameOfPath } from '../../contract/servers/servers.ts';
import { decide } from '../access/decide.ts';
import { type Grants, holdingOf } from '../access/grants.ts';
import type { Identity } from '../identity/identity.ts';
import { outbound } from '../net/outbound.ts';
import { createEmbeddings, type Embeddings } from '../search/embeddings.ts';
import { createFinder, type Finder } from '../search/finder.ts';
import { followDatabase } from '../search/follow.ts';
import { createEngine, type Engine } from '../search/search.ts';
import type { SearchRights } from '../search/view.ts';
import type { Base } from './base.ts';
import type { Ending } from './ending.ts';

/** Builds the search: its index follows the database, and it shows what the same decisions allow that calls are made by. */
export function buildSearch(base: Base, grants: () => Grants, ending: Ending): Finder<Identity> {
  const { allow, config, db, feed, log } = base;
  const engine = createEngine();
  const following = followDatabase(engine, { db, feed, log });
  ending.defer(() => following.close());
  return createFinder<Identity>({
    ...{ engine, allow, ready: following.ready, perMinute: config.search.perMinute },
    embeddings: embeddingsOf(base, engine, ending),
    rightsOf: (who) => rightsOf(who, grants()),
    nameOf: ({ provider, subject }) => `${provider} ${subject}`,
  });
}

/** The service of embeddings, where one is set; the operator names it, so it may be anywhere. */
function embeddingsOf(
  { config, db, log, now }: Base,
  engine: Engine,
  ending: Ending,
): Embeddings | undefined {
  const service = config.search.embeddings;
  if (!service) return undefined;
  const policy = { allowPrivate: true };
  const fetch = outbound({ proxy: config.proxy, policy, totalMs: 30_000, maxBytes: 8 << 20 });
  const embeddings = createEmbeddings({ db, log, now, fetch, config: service, index: () => engine.index });
  ending.defer(() => {
    embeddings.close();
    return fetch.close();
  });
  return embeddings;
}

/** What somebody may find: servers and agents that they may list, tools that they may call. */
function rightsOf(who: Identity, grants: Grants): SearchRights {
  const holding = holdingOf(who, grants);
  return {
    key: holding,
    maySee(kind, path) {
      const permission = showing(kind);
      return permission !== undefined && holding.access.may(permission, nameOfPath(path));
    },
    mayCall: (path, tool) =>
      decide(who, { server: nameOfPath(path), method: 'tools/call', tool }, grants).allow,
  };
}
