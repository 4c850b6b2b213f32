import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, type Server, serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';

/** The question before a server is removed from the registry. */
export function RemoveServer({ server, onClose }: { server: Server; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () =>
      api('servers.remove', {
        params: { path: server.path },
        headers: { 'if-match': `"${server.revision}"` },
      }),
    onSuccess: async () => {
      announce('done', `${server.server_name} was removed.`);
      void queries.invalidateQueries({ queryKey: serversQuery.queryKey });
      await navigate({ to: '/servers' });
    },
  });
  return (
    <Dialog title="Remove this server?" onClose={onClose}>
      <div className="grid gap-4">
        <p>
          <strong className="font-semibold">{server.server_name}</strong> can no longer be called at{' '}
          <code className="font-mono text-code">{server.path}</code>, and its stored credential is deleted.
          This cannot be undone. To pause it, switch it off instead.
        </p>
        {remove.error && <Problem error={remove.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            Remove
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
