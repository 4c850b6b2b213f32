import { useState } from 'react';
import { type Account, api } from '../api.ts';
import { Dialog } from '../controls/dialog.tsx';
import { ShownOnce } from '../controls/shown-once.tsx';
import { AccountForm } from './account-form.tsx';

type Rotated = Awaited<ReturnType<typeof api<'users.rotateSecret'>>>;

const fields = [
  {
    name: 'overlap_days',
    label: 'Days that the old secrets still work',
    hint: '0 removes them at once: choose this if one was leaked.',
  },
];

/** Gives an application a new secret, shown once. */
export function RotateSecret({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username } = account;
  const [rotated, setRotated] = useState<Rotated>();
  return (
    <Dialog title={`New secret for ${username}`} onClose={onClose}>
      {rotated ? (
        <ShownOnce
          title="The new secret works. Keep it now: it cannot be shown again."
          texts={[
            ['Client ID', rotated.client_id],
            ['Client secret', rotated.client_secret],
          ]}
          onDone={onClose}
        >
          <p>
            {rotated.expires_at ? `It ends on ${rotated.expires_at.slice(0, 10)}. ` : 'It has no end. '}
            {rotated.old_secrets.map(
              ({ removed_at }) => `An old one works until ${removed_at.slice(0, 10)}. `,
            )}
          </p>
        </ShownOnce>
      ) : (
        <AccountForm
          fields={fields}
          initial={{ overlap_days: '7' }}
          action="Make a new secret"
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
