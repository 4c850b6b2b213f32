import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ScopeInFull, scopesKey } from '../access/access-query.ts';
import type { definitionOfDraft } from '../access/scope-draft.ts';
import { api } from '../api.ts';
import { ChangedMeanwhile, isChangedMeanwhile } from '../controls/fields/changed-meanwhile.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';

type Definition = ReturnType<typeof definitionOfDraft>;

/** Makes a scope, or replaces the one given; then its page is opened, and what will not work as written is told. */
export function useSaveScope(scope: ScopeInFull | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (definition: Definition) => (scope ? replace(scope, definition) : make(definition)),
    onSuccess: async ({ name, warnings }) => {
      announce('done', [t('{name} is active.', { name }), ...warnings].join('\n'));
      await navigate({ to: '/access/scopes/$', params: { _splat: name } });
      await queries.invalidateQueries({ queryKey: [scopesKey] });
    },
    onError: (error) =>
      isChangedMeanwhile(error) ? queries.invalidateQueries({ queryKey: [scopesKey] }) : undefined,
  });
}

/** Refused where the name is taken: an import would replace the other one. */
async function make({ scope_name, scope_type: _, description, ...scope_config }: Definition) {
  const { name, warnings } = await api('groups.create', {
    body: { name: String(scope_name), description: String(description ?? ''), scope_config },
  });
  return { name, warnings };
}

async function replace(scope: ScopeInFull, definition: Definition) {
  const { scope_name: name } = scope;
  if (definition.scope_name !== name)
    throw new Error(
      t("The name cannot be changed: create another scope for '{scopeName}'.", {
        scopeName: String(definition.scope_name),
      }),
    );
  const now = await api('scopes.get', { params: { name } });
  if (now.updated_at !== scope.updated_at) throw new ChangedMeanwhile();
  const { warnings } = await api('scopes.import', { body: definition as never });
  return { name, warnings };
}
