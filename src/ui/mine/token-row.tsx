import { Link } from '@tanstack/react-router';
import type { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { t } from '../words/words.ts';

/** A personal token as the list has it. */
export type Token = Awaited<ReturnType<typeof api<'tokens.list'>>>['tokens'][number];

/** One token: description, owner, scopes, times, and a button that revokes it while it works. */
export function TokenRow({
  token,
  ofAll = false,
  onRevoke,
  onRevokeAll,
}: {
  token: Token;
  /** Whether the list has those of several people. */
  ofAll?: boolean;
  onRevoke: () => void;
  onRevokeAll?: () => void;
}) {
  const isExpired = Date.parse(token.expires_at) <= Date.now();
  const works = token.revoked_at === null && !isExpired;
  const name = token.description || t('No description');
  return (
    <li className="flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0">
      <div className="min-w-0 flex-1 basis-64">
        <h2 className={`font-semibold ${works ? '' : 'text-quiet'}`}>{name}</h2>
        {ofAll && <p>{token.username}</p>}
        <p className="font-mono text-code text-quiet">{token.scopes.join(' ')}</p>
        <p className="text-meta text-quiet">
          {t('Id')} <code className="font-mono text-code">{token.id}</code>
          {ofAll && (
            <>
              {' · '}
              <Link
                to="/audit"
                search={{ credential: token.id, period: '30d' }}
                className="rounded-sm underline underline-offset-4"
              >
                {t('What it was used for')}
              </Link>
            </>
          )}
        </p>
      </div>
      <p className="basis-48 text-quiet">
        {token.revoked_at !== null ? (
          <>
            {t('Revoked')} <RelativeTime iso={token.revoked_at} />
            {ofAll && token.revoked_by !== null && ` ${t('by {name}', { name: token.revoked_by })}`}
          </>
        ) : (
          <>
            {isExpired ? t('Expired') : t('Expires')} <RelativeTime iso={token.expires_at} />
          </>
        )}
        <br />
        {t('Last used:')}{' '}
        {token.last_used_at === null ? t('never') : <RelativeTime iso={token.last_used_at} />}
      </p>
      <div className="flex flex-wrap gap-2">
        {works && (
          <Button aria-label={t('Revoke {name}', { name })} onClick={onRevoke}>
            {t('Revoke')}
          </Button>
        )}
        {works && onRevokeAll && (
          <Button aria-label={t('Revoke all of {name}', { name: token.username })} onClick={onRevokeAll}>
            {t('Revoke all')}
          </Button>
        )}
      </div>
    </li>
  );
}
