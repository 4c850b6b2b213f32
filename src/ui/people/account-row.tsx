import type { Account } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { t } from '../words/words.ts';

/** What can be done with an account. */
export type AccountTask = 'groups' | 'secret' | 'delete';

/** How many groups of an account are named; the others are counted. */
const named = 6;

/** One account: who or what it is and its groups, its id on demand, and what can be done with it. */
export function AccountRow({ account, onTask }: { account: Account; onTask: (task: AccountTask) => void }) {
  const { username, firstName, lastName, kind, id, enabled } = account;
  const name = [firstName, lastName].filter(Boolean).join(' ');
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 border-b border-line px-4 py-2.5 last:border-b-0">
      <NameTile name={name || username} />
      <div className="grid min-w-0 flex-1 basis-56 gap-0.5">
        <p className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
          <span className="font-semibold break-all">{username}</span>
          {name !== '' && name !== username && <span className="text-quiet">{name}</span>}
          {kind === 'm2m' && <Mark words={t('Application')} />}
          {!enabled && <Mark words={t('Disabled')} />}
        </p>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Groups account={account} />
          <details className="text-meta text-quiet">
            <summary
              aria-label={`${t('Id')} ${t('of {name}', { name: username })}`}
              className="w-fit rounded-sm underline decoration-line underline-offset-4"
            >
              {t('Id')}
            </summary>
            <code className="font-mono text-code break-all">{id}</code>
          </details>
        </div>
      </div>
      <div className="flex flex-wrap gap-1 max-sm:pl-11">
        <Button
          look="quiet"
          aria-label={t('Change the groups of {username}', { username })}
          onClick={() => onTask('groups')}
        >
          {t('Groups')}
        </Button>
        {kind === 'm2m' && (
          <Button
            look="quiet"
            aria-label={t('New secret for {username}', { username })}
            onClick={() => onTask('secret')}
          >
            {t('New secret')}
          </Button>
        )}
        <Button
          look="quiet"
          aria-label={t('Delete {username}', { username })}
          onClick={() => onTask('delete')}
        >
          {t('Delete')}
        </Button>
      </div>
    </li>
  );
}

function Mark({ words }: { words: string }) {
  return <span className="rounded-sm bg-hover px-1.5 py-0.5 text-meta text-quiet">{words}</span>;
}

function Groups({ account: { groups } }: { account: Account }) {
  if (groups === null) return <p className="text-warn">{t('Its groups could not be read.')}</p>;
  if (groups.length === 0) return <p className="text-quiet">{t('In no group.')}</p>;
  const more = groups.length - named;
  const chip = (group: string) => (
    <span key={group} className="rounded-sm bg-sunken px-1.5 py-0.5 text-meta break-all">
      {group}
    </span>
  );
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-1">
      <p className="flex flex-wrap gap-1">
        <span className="sr-only">{t('Groups')}</span>
        {groups.slice(0, named).map(chip)}
      </p>
      {more > 0 && (
        <details>
          <summary className="min-h-6 w-fit rounded-sm text-meta text-quiet underline underline-offset-4">
            {t('{n} more', { n: more })}
          </summary>
          <p className="mt-1 flex flex-wrap gap-1">{groups.slice(named).map(chip)}</p>
        </details>
      )}
    </div>
  );
}
