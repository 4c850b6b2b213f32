import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, type Server, serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { parts, t } from '../words/words.ts';

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
      announce('done', t('{name} was removed.', { name: server.server_name }));
      void queries.invalidateQueries({ queryKey: serversQuery.queryKey });
      await navigate({ to: '/servers' });
    },
  });
  return (
    <Dialog title={t('Remove this server?')} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {parts(
            '{name} can no longer be called at {path}, and its stored credential is deleted. This cannot be undone. To pause it, disable it instead.',
            {
              name: <strong className="font-semibold">{server.server_name}</strong>,
              path: <code className="font-mono text-code">{server.path}</code>,
            },
          )}
        </p>
        {remove.error && <Problem error={remove.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('Remove')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
