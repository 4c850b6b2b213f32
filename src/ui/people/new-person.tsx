import { useState } from 'react';
import { api } from '../api.ts';
import { Dialog } from '../controls/dialog.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { t } from '../words/words.ts';
import { AccountForm, namesIn } from './account-form.tsx';

type Made = Awaited<ReturnType<typeof api<'users.createHuman'>>>;

const fields = [
  {
    name: 'username',
    label: t('User name'),
    hint: t("Without a domain, the directory's default one is added."),
  },
  { name: 'email', label: t('E-mail address') },
  { name: 'firstname', label: t('First name') },
  { name: 'lastname', label: t('Last name') },
  { name: 'groups', label: t('Groups'), hint: t('Names or ids, separated by commas; at least one.') },
];

/** Makes a person's account; the password that is made for it is shown once. */
export function NewPerson({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Made>();
  return (
    <Dialog title={t('New person')} onClose={onClose}>
      {made ? (
        <ShownOnce
          title={t('The account is ready. Hand the password over now: it cannot be shown again.')}
          texts={[
            [t('User name'), made.username],
            [t('Password'), made.generated_password ?? ''],
          ]}
          onDone={onClose}
        >
          <p>{t('A new password is asked for at the first sign-in.')}</p>
          <FailedGroups failed={made.groups_failed} />
        </ShownOnce>
      ) : (
        <AccountForm
          fields={fields}
          action={t('Create')}
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
