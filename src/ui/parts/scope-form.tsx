import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useRef, useState } from 'react';
import { uiPermissions } from '../../contract/endpoint.ts';
import { agentsQuery, api, serversQuery } from '../api.ts';
import { type ScopeInFull, scopesKey, scopesQuery } from './access-query.ts';
import { Button } from './button.tsx';
import { DryRun, useDryRun } from './dry-run.tsx';
import { GrantFields } from './grant-fields.tsx';
import { NamesField } from './names-field.tsx';
import { Problem } from './problem.tsx';
import { RuleFields } from './rule-fields.tsx';
import {
  definitionIn,
  definitionOfDraft,
  draftOfDefinition,
  emptyScope,
  faultAt,
  faultsOfScope,
  faultsTold,
  isAboutAgents,
  type ScopeDraft,
  type ScopeFaults,
} from './scope-draft.ts';
import { definitionText } from './scope-text.ts';
import { TextField } from './text-field.tsx';
import { announce } from './toasts.tsx';

type Definition = ReturnType<typeof definitionOfDraft>;

const agentActions = [
  'list_agents',
  'get_agent',
  'invoke_agent',
  'publish_agent',
  'modify_agent',
  'delete_agent',
];

/** The form of a scope of the API, a new one or one that is there; or its definition as JSON, held to the same rules. */
export function ScopeForm({ scope }: { scope?: ScopeInFull }) {
  const form = useRef<HTMLFormElement>(null);
  const [start] = useState(() => startOf(scope));
  const [draft, setDraft] = useState(start.draft);
  /** The JSON view while it is open. */
  const [text, setText] = useState(start.text);
  const [shown, setShown] = useState<ScopeFaults>([]);
  const [unreadable, setUnreadable] = useState(start.why);
  const save = useSave(scope);
  const dryRun = useDryRun();
  const changed = () => {
    save.reset();
    // An answer about what was written before would be read as one about this.
    dryRun.reset();
    setShown([]);
    setUnreadable('');
  };
  const withDefinition = (act: (definition: Definition) => void) => {
    const read = readNow(text, draft);
    setUnreadable(read.why);
    const faults = read.definition ? faultsOfScope(read.definition) : [];
    setShown(faults);
    if (read.definition && faults.length === 0) act(read.definition);
    // After the faults are on the page.
    else setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) withDefinition((definition) => save.mutate(definition));
  };
  const show = (view: 'form' | 'json') => {
    try {
      if (view === 'json') setText(JSON.stringify(definitionOfDraft(draft), null, 2));
      else {
        setDraft(draftOfDefinition(definitionIn(text ?? '')));
        setText(undefined);
      }
      setUnreadable('');
    } catch (error) {
      setUnreadable(String((error as Error).message));
    }
  };
  const faults = [...shown, ...faultsTold(save.error), ...faultsTold(dryRun.error)];
  return (
    <form ref={form} noValidate onSubmit={submit} aria-label="Scope" className="grid max-w-3xl gap-6">
      <ViewOf json={text !== undefined} onShow={show} />
      {text === undefined ? (
        <Fields
          draft={draft}
          isNew={scope === undefined}
          faults={faults}
          onChange={(next) => {
            changed();
            setDraft(next);
          }}
        />
      ) : (
        <TextField
          label="Definition"
          rows={24}
          isCode
          value={text}
          fault={unreadable || faults.map(({ at, message }) => `${at}: ${message}`).join('\n') || undefined}
          hint="A group definition file, as mcp-gateway import-group takes it."
          onChange={(next) => {
            changed();
            setText(next);
          }}
        />
      )}
      {text === undefined && unreadable && <p role="alert">{unreadable}</p>}
      <DryRun run={dryRun} ask={() => withDefinition((definition) => dryRun.mutate({ definition }))} />
      {save.error && <Problem error={save.error} />}
      <div className="flex gap-2">
        <Button type="submit" look="primary" busy={save.isPending}>
          {save.isPending ? 'Saving …' : scope ? 'Save' : 'Make the scope'}
        </Button>
      </div>
    </form>
  );
}

/** How the form begins: with the scope, or with its JSON where the form cannot show all of it. */
function startOf(scope: ScopeInFull | undefined): {
  draft: ScopeDraft;
  text: string | undefined;
  why: string;
} {
  if (!scope) return { draft: emptyScope, text: undefined, why: '' };
  const text = definitionText(scope);
  try {
    return { draft: draftOfDefinition(JSON.parse(text)), text: undefined, why: '' };
  } catch (error) {
    return { draft: emptyScope, text, why: (error as Error).message };
  }
}

function readNow(text: string | undefined, draft: ScopeDraft): { definition?: Definition; why: string } {
  if (text === undefined) return { definition: definitionOfDraft(draft), why: '' };
  try {
    return { definition: definitionIn(text), why: '' };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

function ViewOf({ json, onShow }: { json: boolean; onShow: (view: 'form' | 'json') => void }) {
  const name = useId();
  return (
    <fieldset className="flex gap-4">
      <legend className="sr-only">How the scope is shown</legend>
      {(['form', 'json'] as const).map((view) => (
        <label key={view} className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={json === (view === 'json')}
            onChange={() => onShow(view)}
            className="size-4 accent-accent"
          />
          {view === 'form' ? 'As a form' : 'As JSON'}
        </label>
      ))}
    </fieldset>
  );
}

function Fields({
  draft,
  isNew,
  faults,
  onChange,
}: {
  draft: ScopeDraft;
  isNew: boolean;
  faults: ScopeFaults;
  onChange: (draft: ScopeDraft) => void;
}) {
  const { data: scopes } = useQuery(scopesQuery);
  const { data: servers } = useQuery(serversQuery);
  const { data: agents } = useQuery(agentsQuery);
  const everything = { value: 'all', words: 'All' };
  const agentOffers = [
    everything,
    ...(agents?.agents ?? []).map(({ path, name }) => ({ value: path, words: name })),
  ];
  const serverOffers = [
    everything,
    ...(servers?.servers ?? []).map(({ path, server_name }) => ({
      value: path.slice(1),
      words: server_name,
    })),
  ];
  const groups = (scopes?.keycloak_groups ?? []).map(({ mapping, name }) => ({
    value: mapping,
    words: name,
  }));
  const agentsAt = `server_access.${draft.rules.length}.agents.actions`;
  return (
    <>
      <div className="grid gap-4">
        <TextField
          label="Name"
          value={draft.scope_name}
          readOnly={!isNew}
          fault={faultAt(faults, 'scope_name')}
          hint={
            isNew
              ? 'Such as team/readers. It stays.'
              : 'The name stays: tokens and files know the scope by it.'
          }
          onChange={(scope_name) => onChange({ ...draft, scope_name })}
        />
        <TextField
          label="Description"
          rows={2}
          value={draft.description}
          fault={faultAt(faults, 'description')}
          onChange={(description) => onChange({ ...draft, description })}
        />
        <NamesField
          label="Groups that hold it"
          names={draft.group_mappings}
          suggestions={groups}
          hint="As the provider names them (Entra: Object IDs). With none, nobody holds the scope."
          fault={faultAt(faults, 'group_mappings')}
          onChange={(group_mappings) => onChange({ ...draft, group_mappings })}
        />
        {isNew && scopes?.directory && (
          <label className="flex items-start gap-2">
            <input
              type="checkbox"
              checked={draft.create_in_idp}
              onChange={(event) => onChange({ ...draft, create_in_idp: event.currentTarget.checked })}
              className="mt-0.5 size-4 shrink-0 accent-accent"
            />
            <span>Make a group of this name in the directory too, which holds it</span>
          </label>
        )}
      </div>
      <RuleFields rules={draft.rules} faults={faults} onChange={(rules) => onChange({ ...draft, rules })} />
      <GrantFields
        title="In the registry"
        about="What may be done on the pages and by the API. It does not allow any call to a server."
        row="Permission"
        choices={uiPermissions}
        grants={draft.permissions}
        offersFor={(name) => (isAboutAgents(name) ? agentOffers : serverOffers)}
        faultOf={({ name }) => faultAt(faults, `ui_permissions.${name}`)}
        onChange={(permissions) => onChange({ ...draft, permissions })}
      />
      <GrantFields
        title="Agents"
        about="Actions on agents, by their paths."
        row="Action"
        choices={agentActions}
        grants={draft.actions}
        offersFor={() => agentOffers}
        faultOf={(_, at) => faultAt(faults, `${agentsAt}.${at}`)}
        onChange={(actions) => onChange({ ...draft, actions })}
      />
      <NamesField
        label="Agents that are seen besides"
        names={draft.agent_access}
        suggestions={agentOffers}
        fault={faultAt(faults, 'agent_access')}
        onChange={(agent_access) => onChange({ ...draft, agent_access })}
      />
    </>
  );
}

function useSave(scope: ScopeInFull | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (definition: Definition) => (scope ? replace(scope, definition) : make(definition)),
    onSuccess: async ({ name, warnings }) => {
      announce('done', [`${name} is in force.`, ...warnings].join('\n'));
      await navigate({ to: '/access/scopes/$', params: { _splat: name } });
      await queries.invalidateQueries({ queryKey: [scopesKey] });
    },
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
    throw new Error(`The name stays: make another scope for '${String(definition.scope_name)}'.`);
  const now = await api('scopes.get', { params: { name } });
  if (now.updated_at !== scope.updated_at)
    throw new Error('Somebody else changed the scope meanwhile. Load the page anew to see how it is now.');
  const { warnings } = await api('scopes.import', { body: definition as never });
  return { name, warnings };
}
