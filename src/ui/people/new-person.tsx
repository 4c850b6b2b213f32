import { useState } from 'react';
import { api } from '../api.ts';
import { Dialog } from '../controls/dialog.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { AccountForm, namesIn } from './account-form.tsx';

type Made = Awaited<ReturnType<typeof api<'users.createHuman'>>>;

const fields = [
  {
    name: 'username',
    label: 'User name',
    hint: "Without a domain, the directory's default one is added.",
  },
  { name: 'email', label: 'E-mail address' },
  { name: 'firstname', label: 'First name' },
  { name: 'lastname', label: 'Last name' },
  { name: 'groups', label: 'Groups', hint: 'Names or ids, separated by commas; at least one.' },
];

/** Makes a person's account; the password that is made for it is shown once. */
export function NewPerson({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Made>();
  return (
    <Dialog title="New person" onClose={onClose}>
      {made ? (
        <ShownOnce
          title="The account is ready. Hand the password over now: it cannot be shown again."
          texts={[
            ['User name', made.username],
            ['Password', made.generated_password ?? ''],
          ]}
          onDone={onClose}
        >
          <p>A new password is asked for at the first sign-in.</p>
          <FailedGroups failed={made.groups_failed} />
        </ShownOnce>
      ) : (
        <AccountForm
          fields={fields}
          action="Create"
          onCancel={onClose}
          onDone={setMade}
          send={({ username = '', email = '', firstname = '', lastname = '', groups }) =>
            api('users.createHuman', {
              body: { username, email, firstname, lastname, groups: namesIn(groups) },
            })
          }
        />
      )}
    </Dialog>
  );
}
