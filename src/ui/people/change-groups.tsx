import { useState } from 'react';
import { type Account, api } from '../api.ts';
import { Dialog } from '../controls/dialog.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { announce } from '../controls/toasts.tsx';
import { AccountForm, namesIn } from './account-form.tsx';

type Changed = Awaited<ReturnType<typeof api<'users.groups'>>>;

const fields = [
  {
    name: 'groups',
    label: 'Groups',
    hint: 'Names or ids, separated by commas. The account is in exactly these afterwards.',
  },
];

/** Makes the groups of an account exactly those that are written down. */
export function ChangeGroups({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username, groups } = account;
  const [changed, setChanged] = useState<Changed>();
  const done = (answer: Changed): void => {
    if (answer.groups_failed.length > 0 || answer.note) setChanged(answer);
    else {
      onClose();
      announce('done', `The groups of ${username} were changed.`);
    }
  };
  return (
    <Dialog title={`Groups of ${username}`} onClose={onClose}>
      {changed ? (
        <ShownOnce
          title={`${username} is in: ${changed.groups.join(', ') || 'no group'}.`}
          texts={[]}
          onDone={onClose}
        >
          <FailedGroups failed={changed.groups_failed} />
          {changed.note && <p>{changed.note}</p>}
        </ShownOnce>
      ) : (
        <AccountForm
          fields={fields}
          initial={{ groups: (groups ?? []).join(', ') }}
          action="Save"
          onCancel={onClose}
          onDone={done}
          send={(values) =>
            api('users.groups', { params: { username: id }, body: { groups: namesIn(values.groups) } })
          }
        />
      )}
    </Dialog>
  );
}
