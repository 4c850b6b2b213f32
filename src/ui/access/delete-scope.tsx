import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
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
      announce('done', `${name} was deleted.`);
      await navigate({ to: '/access' });
      queries.removeQueries({ queryKey: [scopesKey, 'one', name] });
      await queries.invalidateQueries({ queryKey: scopesQuery.queryKey });
    },
  });
  return (
    <Dialog title="Delete this scope?" onClose={onClose}>
      <div className="grid gap-4">
        <p>
          What only <strong className="font-semibold break-all">{name}</strong> allows is refused with the
          next request. It is held by {groups.length === 0 ? 'no group' : groups.join(', ')}; the directory
          keeps its groups.
        </p>
        <DryRun run={dryRun} ask={() => dryRun.mutate({ remove: name })} />
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
