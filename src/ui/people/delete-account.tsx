import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Account, accountsKey, api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';

/** Asks, then deletes one account from the directory, by its stable id. */
export function DeleteAccount({ account, onClose }: { account: Account; onClose: () => void }) {
  const { id, username, kind } = account;
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api('users.remove', { params: { username: id } }),
    onSuccess: async () => {
      onClose();
      announce('done', `${username} was deleted.`);
      await queries.invalidateQueries({ queryKey: [accountsKey] });
    },
  });
  return (
    <Dialog title="Delete this account?" onClose={onClose}>
      <div className="grid gap-4">
        <p>
          <strong className="font-semibold break-all">{username}</strong> is deleted from the directory
          {kind === 'm2m' && ', with its registration, its principal and its secrets'}: not only here, but for
          everything that uses the directory.
        </p>
        {remove.error && <Problem error={remove.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Delete
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
