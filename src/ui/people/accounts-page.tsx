import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type Account, accountsKey, accountsQuery, api, meQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { useDraft } from '../controls/fields/use-draft.ts';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { parts, t } from '../words/words.ts';
import { AccountRow, type AccountTask } from './account-row.tsx';
import { ChangeGroups } from './change-groups.tsx';
import { NewApplication } from './new-application.tsx';
import { NewPerson } from './new-person.tsx';
import { RotateSecret } from './rotate-secret.tsx';

/** Asks, then deletes one account from the directory, by its stable id. */
export function DeleteAccount({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username, kind } = account;
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api('users.remove', { params: { username: id } }),
    onSuccess: async () => {
      onClose();
      announce('done', t('{username} was deleted.', { username }));
      await queries.invalidateQueries({ queryKey: [accountsKey] });
    },
  });
  return (
    <Dialog title={t('Delete this account?')} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {parts(
            kind === 'm2m'
              ? '{username} is deleted from the directory, with its registration, its principal and its secrets: not only here, but for everything that uses the directory.'
              : '{username} is deleted from the directory: not only here, but for everything that uses the directory.',
            { username: <strong className="font-semibold break-all">{username}</strong> },
          )}
        </p>
        {remove.error && <Problem error={remove.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('Delete')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

const route = getRouteApi('/signed-in/accounts');

/** For administrators: the accounts of people and applications in the directory. */
export function Accounts() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <Page title={t('Accounts')}>
      {me.is_admin ? (
        <Listed />
      ) : (
        <Empty>
          {t(
            'This page is for administrators: members of a group that is mapped to the administrator scopes.',
          )}
        </Empty>
      )}
    </Page>
  );
}

function Listed() {
  const { q = '' } = route.useSearch();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery(accountsQuery(q));
  const [task, setTask] = useState<readonly [AccountTask, Account]>();
  const close = () => setTask(undefined);
  const accounts = data?.pages.flatMap(({ users }) => users) ?? [];
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap justify-between gap-2">
        <Find q={q} />
        <Make />
      </div>
      {isPending && <Pending rows={6} />}
      {error && <Problem error={error} retry={() => void (data ? fetchNextPage() : refetch())} />}
      {accounts.length > 0 && (
        <ul aria-label={t('Accounts')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {accounts.map((account) => (
            <AccountRow
              key={`${account.kind} ${account.id}`}
              account={account}
              onTask={(what) => setTask([what, account])}
            />
          ))}
        </ul>
      )}
      {data && (
        <p role="status" className="text-quiet">
          {accounts.length > 0
            ? t('{n} of {total} accounts.', {
                n: accounts.length,
                total: data.pages[0]?.total ?? accounts.length,
              })
            : q === ''
              ? t('The directory has no accounts.')
              : t(
                  'No account starts with that. The search compares the start of a name, user name or e-mail address.',
                )}
        </p>
      )}
      {hasNextPage && (
        <Button className="justify-self-start" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('Show more')}
        </Button>
      )}
      {task?.[0] === 'groups' && <ChangeGroups account={task[1]} onClose={close} />}
      {task?.[0] === 'secret' && <RotateSecret account={task[1]} onClose={close} />}
      {task?.[0] === 'delete' && <DeleteAccount account={task[1]} onClose={close} />}
    </div>
  );
}

/** What makes accounts. */
function Make() {
  const [making, setMaking] = useState<'person' | 'application'>();
  const close = () => setMaking(undefined);
  return (
    <div className="flex flex-wrap gap-2">
      <Button onClick={() => setMaking('person')}>{t('New person')}</Button>
      <Button onClick={() => setMaking('application')}>{t('New application')}</Button>
      {making === 'person' && <NewPerson onClose={close} />}
      {making === 'application' && <NewApplication onClose={close} />}
    </div>
  );
}

/** Asks on Enter only: every question goes to the directory, which throttles. */
function Find({ q }: { q: string }) {
  const navigate = route.useNavigate();
  const draft = useDraft({ q });
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const sent = draft.now;
    const wanted = sent.q.trim();
    void navigate({ search: wanted ? { q: wanted } : {} }).then(() => draft.saved(sent));
  };
  return (
    <search className="min-w-0 flex-1 basis-64">
      <form onSubmit={find} className="flex max-w-md gap-2">
        <input
          type="search"
          value={draft.now.q}
          onChange={({ currentTarget }) => draft.change({ q: currentTarget.value })}
          maxLength={256}
          aria-label={t('Search accounts')}
          placeholder={t('Start of a name or address')}
          className="h-8 w-full min-w-0 rounded-md border border-edge bg-raised px-2 placeholder:text-quiet"
        />
        <Button type="submit">{t('Search')}</Button>
      </form>
    </search>
  );
}
