import { type Handlers, Reply } from '../../../contract/endpoint.ts';
import type { tokenEndpoints } from '../../../contract/people/tokens.ts';
import type { Caller } from '../../access/caller.ts';
import type { Grants } from '../../access/grants.ts';
import type { Db } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { mintToken, type PersonalTokens } from '../../identity/personal-token.ts';
import { assertEndsWithAccess, assertUnlimited } from '../limited.ts';
import { countMinted, listTokens, lockOwner, revokeToken, revokeTokensOf } from './store.ts';

/** What the endpoints of personal tokens need. */
export interface TokensWorld {
  readonly db: Db;
  readonly grants: () => Grants;
  readonly personal: PersonalTokens;
  readonly now: () => number;
}

/** Answers the endpoints of personal tokens. */
export function tokenHandlers(world: TokensWorld): Handlers<typeof tokenEndpoints, Caller<Identity>> {
  const { settings } = world.personal;
  return {
    async 'tokens.generate'({ body }, { identity, access, note }) {
      assertEndsWithAccess(identity, 'create tokens');
      const hours = body.expires_in_hours ?? settings.defaultHours;
      if (hours > settings.maxHours)
        throw invalidInput(
          [{ at: 'body.expires_in_hours', message: `must be from 1 to ${settings.maxHours}` }],
          { said: `A token can be valid for ${settings.maxHours} hours at most.` },
        );
      const foreign = body.requested_scopes?.filter((scope) => !access.scopes.includes(scope)) ?? [];
      if (foreign.length > 0)
        throw new Failure('not_allowed', `You do not have access to scopes: ${foreign.join(', ')}.`);
      const scopes = body.requested_scopes ?? [...access.scopes];
      const description = body.description ?? '';
      const minted = await inTransaction(world.db, async (trx) => {
        await requireFewer(trx, identity, settings.perHour, world.now());
        const isWhole = body.requested_scopes === undefined;
        return mintToken({ ...world.personal, db: trx }, identity, { scopes, isWhole, hours, description });
      });
      note({ token: minted.id, scopes, hours });
      return new Reply(
        {
          success: true as const,
          tokens: {
            access_token: minted.token,
            refresh_token: null,
            expires_in: minted.lifetime,
            refresh_expires_in: 0 as const,
            token_type: 'Bearer' as const,
            scope: scopes.join(' '),
          },
          token_id: minted.id,
          client_id: 'user-generated' as const,
          user_scopes: [...access.scopes],
          requested_scopes: scopes,
          expires_at: minted.expiresAt,
        },
        { 'cache-control': 'no-store' },
      );
    },

    async 'tokens.list'({ query: { all, ...narrow } }, { identity, access }) {
      assertUnlimited(identity, world.grants(), 'see tokens');
      if (all === 'true' && !access.isAdmin)
        throw new Failure('not_allowed', "Only administrators can see everyone's tokens.");
      const owner = all === 'true' ? null : identity;
      return listTokens(world.db, owner, { ...narrow, at: new Date(world.now()).toISOString() });
    },

    async 'tokens.revoke'({ params }, { identity, access, note }) {
      if (identity.credentialId !== params.id)
        assertUnlimited(identity, world.grants(), 'revoke any token but itself');
      const revoked = await revokeToken(world.db, params.id, access.isAdmin ? null : identity, {
        by: identity.username,
        at: new Date(world.now()).toISOString(),
      });
      if (!revoked) throw new Failure('not_found', 'You have no such token.');
      note({ token: params.id, owner: revoked });
      return undefined;
    },

    async 'tokens.revokeAll'({ params: { provider, subject } }, { identity, note }) {
      const how = { by: identity.username, at: new Date(world.now()).toISOString() };
      const tokens_revoked = await revokeTokensOf(world.db, { provider, subject }, how);
      note({ tokens: tokens_revoked });
      return { tokens_revoked };
    },
  };
}

/** Counts in the transaction that mints, with the owner's row locked, so that requests at once do not pass together. */
async function requireFewer(trx: Db, owner: Identity, perHour: number, now: number): Promise<void> {
  await lockOwner(trx, owner);
  const since = new Date(now - 3_600_000).toISOString();
  if ((await countMinted(trx, owner, since)) < perHour) return;
  throw new Failure('too_many_requests', `You can create ${perHour} tokens an hour; try again later.`, {
    retryAfter: 600,
  });
}
