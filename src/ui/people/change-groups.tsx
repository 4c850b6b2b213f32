import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { scopesQuery } from '../access/access-query.ts';
import { type Account, accountsKey, api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { NamesField } from '../controls/fields/names-field.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';

type Changed = Awaited<ReturnType<typeof api<'users.groups'>>>;

/** Adds groups to an account and removes them, by name; says what would change before it is saved. */
export function ChangeGroups({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username } = account;
  const queries = useQueryClient();
  const before = account.groups ?? [];
  const { data: scopes } = useQuery(scopesQuery);
  const [groups, setGroups] = useState<readonly string[]>(before);
  const [changed, setChanged] = useState<Changed>();
  const added = groups.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !groups.includes(name));
  const offers = [...new Set((scopes?.keycloak_groups ?? []).map(({ name }) => name))];
  const save = useMutation({
    mutationFn: () => change(account, added, removed),
    onSuccess: (answer) => {
      void queries.invalidateQueries({ queryKey: [accountsKey] });
      if (answer.groups_failed.length > 0 || answer.note) return setChanged(answer);
      onClose();
      announce('done', t('The groups of {name} were changed.', { name: username }), {
        words: t('Undo'),
        about: `groups ${id}`,
        run: () => back.mutate(),
      });
    },
  });
  const back = useMutation({
    mutationFn: () => change(account, removed, added),
    onSuccess: () => announce('done', t('The groups of {name} are as they were.', { name: username })),
    onError: (error) => announce('failed', saidBy(error).detail),
    onSettled: () => queries.invalidateQueries({ queryKey: [accountsKey] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <Dialog title={t('Groups of {name}', { name: username })} onClose={onClose}>
      {changed ? (
        <ShownOnce
          title={t('{name} is in: {groups}.', {
            name: username,
            groups: changed.groups.join(', ') || t('no group'),
          })}
          texts={[]}
          onDone={onClose}
        >
          <FailedGroups failed={changed.groups_failed} />
          {changed.note && <p>{changed.note}</p>}
        </ShownOnce>
      ) : (
        <form noValidate onSubmit={submit} className="grid gap-4">
          <NamesField
            label={t('Groups')}
            names={groups}
            suggestions={offers.map((value) => ({ value }))}
            hint={t('Choose from the list, or type a name or id and press Enter.')}
            onChange={setGroups}
          />
          <ul role="status" aria-label={t('Changes')} className="grid gap-1">
            {added.map((name) => (
              <li key={`+ ${name}`} className="text-good">
                {t('Adds {name}', { name })}
              </li>
            ))}
            {removed.map((name) => (
              <li key={`- ${name}`} className="text-bad">
                {t('Removes {name}', { name })}
              </li>
            ))}
            {added.length + removed.length === 0 && <li className="text-quiet">{t('No change yet.')}</li>}
          </ul>
          {save.error && <Problem error={save.error} />}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t('Cancel')}</Button>
            <Button type="submit" look="primary" busy={save.isPending}>
              {t('Save')}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

/** Adds groups and removes others, of those that the account has by now: what somebody else changed since stays. */
async function change(
  { id, username, groups: seen }: Account,
  added: readonly string[],
  removed: readonly string[],
): Promise<Changed> {
  const { users } = await api('users.list', { query: { limit: 100, search: username } });
  const now = users.find((one) => one.id === id)?.groups ?? seen ?? [];
  const groups = [...new Set([...now, ...added])].filter((name) => !removed.includes(name));
  return api('users.groups', { params: { username: id }, body: { groups } });
}
