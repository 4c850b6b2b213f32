import type { Account } from '../api.ts';
import { Button } from '../controls/button.tsx';

/** What can be done with an account. */
export type AccountTask = 'groups' | 'secret' | 'delete';

/** One account: who or what it is, its id and its groups, and what can be done with it. */
export function AccountRow({ account, onTask }: { account: Account; onTask: (task: AccountTask) => void }) {
  const { username, firstName, lastName, kind, id, groups, enabled } = account;
  const name = [firstName, lastName].filter(Boolean).join(' ');
  const what = kind === 'm2m' ? 'Application' : 'Person';
  return (
    <li className="flex flex-wrap items-start justify-between gap-2 border-b border-line px-4 py-3 last:border-b-0">
      <div className="grid min-w-0 gap-0.5">
        <p className="font-medium break-all">{username}</p>
        <p className="text-meta text-quiet">
          {[what, name, enabled ? '' : 'disabled'].filter(Boolean).join(' · ')}
        </p>
        <p className="font-mono text-code break-all text-quiet">{id}</p>
        <p className="text-meta break-words">{inWords(groups)}</p>
      </div>
      <div className="flex flex-wrap">
        <Button look="quiet" aria-label={`Change the groups of ${username}`} onClick={() => onTask('groups')}>
          Groups
        </Button>
        {kind === 'm2m' && (
          <Button look="quiet" aria-label={`New secret for ${username}`} onClick={() => onTask('secret')}>
            New secret
          </Button>
        )}
        <Button look="quiet" aria-label={`Delete ${username}`} onClick={() => onTask('delete')}>
          Delete
        </Button>
      </div>
    </li>
  );
}

function inWords(groups: readonly string[] | null): string {
  if (groups === null) return 'Its groups could not be read.';
  return groups.length === 0 ? 'In no group.' : `Groups: ${groups.join(', ')}`;
}
