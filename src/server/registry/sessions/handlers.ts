import type { Handlers } from '../../../contract/endpoint.ts';
import type { sessionEndpoints } from '../../../contract/people/sessions.ts';
import type { Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import type { ConnectionsEnded } from '../../egress/revoke.ts';
import { removeConnectionsOf } from '../../egress/store.ts';
import { Failure } from '../../failure/errors.ts';
import { endProviderTokens } from '../../identity/cutoffs.ts';
import type { Identity } from '../../identity/identity.ts';
import { findPerson, forgetGroups } from '../../identity/people.ts';
import { endSessionsOf } from '../../identity/session-rows.ts';
import { endGrantsOf } from '../../oauth/grants.ts';
import { assertUnlimited } from '../limited.ts';
import { revokeTokensOf } from '../tokens/store.ts';
import { endSession, listSessions } from './store.ts';

/** What the endpoints of browser sessions need. */
export interface SessionEndpointsWorld {
  readonly db: Db;
  readonly grants: () => Grants;
  readonly now: () => number;
  /** After how many seconds without a request a session is over. */
  readonly idleSeconds: number;
  /** Takes back at their services the credentials of a person that are deleted here. */
  readonly connectionsEnded: ConnectionsEnded;
}

/** Answers the endpoints of browser sessions; what they end is over at its next request. */
export function sessionHandlers(
  world: SessionEndpointsWorld,
): Handlers<typeof sessionEndpoints, Caller<Identity>> {
  const { db } = world;
  const at = (ago = 0): string => new Date(world.now() - ago).toISOString();
  return {
    async 'sessions.list'({ query }, { identity, access }) {
      assertUnlimited(identity, world.grants(), 'see sessions');
      const all = query.all === 'true';
      if (all && !access.isAdmin)
        throw new Failure(
          'not_allowed',
          "Administrator permissions are required to see everyone's sessions.",
        );
      const found = await listSessions(db, all ? null : identity, at(), at(world.idleSeconds * 1000));
      return { sessions: found.map((one) => ({ ...one, is_current: isCurrent(one.id, identity) })) };
    },

    async 'sessions.end'({ params }, { identity, access, note }) {
      assertUnlimited(identity, world.grants(), 'end sessions');
      const owner = access.isAdmin ? null : { provider: identity.provider, subject: identity.subject };
      const how = { at: at(), because: `This session was ended by ${identity.username}.` };
      const ended = await endSession(db, params.id, owner, how);
      if (!ended) throw new Failure('not_found', 'You have no such session.');
      note({ owner: ended.subject });
      return undefined;
    },

    async 'sessions.endAll'({ params, body }, { identity, note }) {
      const { provider, subject } = params;
      if (!(await findPerson(db, provider, subject)))
        throw new Failure('not_found', 'No one with that provider and subject has signed in here.');
      const how = { at: at(), because: 'Your sessions were ended by an administrator; sign in again.' };
      const owner = { provider, subject };
      const ended = await inTransaction(db, async (trx) => {
        const sessions_ended = await endSessionsOf(trx, owner, how);
        const by = { by: identity.username, at: how.at };
        const tokens_revoked = body.revoke_tokens ? await revokeTokensOf(trx, owner, by) : 0;
        await endGrantsOf(trx, owner, { ...by, because: how.because });
        const gone = await removeConnectionsOf(trx, owner);
        await forgetGroups(trx, provider, subject);
        await endProviderTokens(trx, owner, how.at, 'Your access was ended by an administrator.');
        return { sessions_ended, tokens_revoked, gone };
      });
      const { gone, ...counts } = ended;
      world.connectionsEnded(gone);
      note({
        ...{ sessions: counts.sessions_ended, tokens: counts.tokens_revoked },
        ...(gone.length > 0 ? { connections: gone.length } : {}),
      });
      return counts;
    },
  };
}

function isCurrent(id: string, identity: Identity): boolean {
  return identity.method === 'session' && identity.credentialId === id;
}
