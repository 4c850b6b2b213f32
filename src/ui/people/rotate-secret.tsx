import { useState } from 'react';
import { type Account, api } from '../api.ts';
import { Dialog } from '../controls/dialog.tsx';
import { ShownOnce } from '../controls/shown-once.tsx';
import { t } from '../words/words.ts';
import { AccountForm } from './account-form.tsx';

type Rotated = Awaited<ReturnType<typeof api<'users.rotateSecret'>>>;

const fields = [
  {
    name: 'overlap_days',
    label: t('Days that the old secrets still work'),
    hint: t('0 removes them at once: choose this if one was leaked.'),
  },
];

/** Gives an application a new secret, shown once. */
export function RotateSecret({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username } = account;
  const [rotated, setRotated] = useState<Rotated>();
  return (
    <Dialog title={t('New secret for {username}', { username })} onClose={onClose}>
      {rotated ? (
        <ShownOnce
          title={t('The new secret works. Save it now: it cannot be shown again.')}
          texts={[
            [t('Client ID'), rotated.client_id],
            [t('Client secret'), rotated.client_secret],
          ]}
          onDone={onClose}
        >
          <p>
            {rotated.expires_at
              ? t('It ends on {day}.', { day: rotated.expires_at.slice(0, 10) })
              : t('It has no end.')}
            {rotated.old_secrets.map(
              ({ removed_at }) => ` ${t('An old one works until {day}.', { day: removed_at.slice(0, 10) })}`,
            )}
          </p>
        </ShownOnce>
      ) : (
        <AccountForm
          fields={fields}
          initial={{ overlap_days: '7' }}
          action={t('Make a new secret')}
          onCancel={onClose}
          onDone={setRotated}
          send={({ overlap_days: days }) =>
            api('users.rotateSecret', { params: { client_id: id }, body: { overlap_days: Number(days) } })
          }
        />
      )}
    </Dialog>
  );
}
