import type { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';

/** A personal token as the list has it. */
export type Token = Awaited<ReturnType<typeof api<'tokens.list'>>>['tokens'][number];

/** One token: description, scopes, times, and a button that revokes it while it works. */
export function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const isExpired = Date.parse(token.expires_at) <= Date.now();
  const works = token.revoked_at === null && !isExpired;
  const name = token.description || 'No description';
  return (
    <li className="flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0">
      <div className="min-w-0 flex-1 basis-64">
        <h2 className={`font-semibold ${works ? '' : 'text-quiet'}`}>{name}</h2>
        <p className="font-mono text-code text-quiet">{token.scopes.join(' ')}</p>
      </div>
      <p className="basis-48 text-quiet">
        {token.revoked_at !== null ? (
          <>
            Revoked <RelativeTime iso={token.revoked_at} />
          </>
        ) : (
          <>
            {isExpired ? 'Expired ' : 'Expires '}
            <RelativeTime iso={token.expires_at} />
          </>
        )}
        <br />
        Last used: {token.last_used_at === null ? 'never' : <RelativeTime iso={token.last_used_at} />}
      </p>
      <div className="w-20 text-right">
        {works && (
          <Button aria-label={`Revoke ${name}`} onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </div>
    </li>
  );
}
