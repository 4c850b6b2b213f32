import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { parts, t } from '../words/words.ts';
import { type ScopeInFull, scopesKey, scopesQuery } from './access-query.ts';
import { DryRun, useDryRun } from './dry-run.tsx';

/** Asks before a scope of the API goes; its group in the directory stays. */
export function DeleteScope({ scope, onClose }: { scope: ScopeInFull; onClose: () => void }) {
  const { scope_name: name, group_mappings: groups } = scope;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const dryRun = useDryRun();
  const remove = useMutation({
    mutationFn: () => api('scopes.delete', { body: { group_name: name } }),
    onSuccess: async () => {
      announce('done', t('{name} was deleted.', { name }));
      await navigate({ to: '/access' });
      queries.removeQueries({ queryKey: [scopesKey, 'one', name] });
      await queries.invalidateQueries({ queryKey: scopesQuery.queryKey });
    },
  });
  return (
    <Dialog title={t('Delete this scope?')} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {parts(
            'What only {name} allows is refused with the next request. It is assigned to {groups}; the directory keeps its groups.',
            {
              name: <strong className="font-semibold break-all">{name}</strong>,
              groups: groups.length === 0 ? t('no group') : groups.join(', '),
            },
          )}
        </p>
        <DryRun run={dryRun} ask={() => dryRun.mutate({ remove: name })} />
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
