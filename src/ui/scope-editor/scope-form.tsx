import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { type ScopeInFull, scopesQuery, unknownGroup } from '../access/access-query.ts';
import { DryRun, useDryRun } from '../access/dry-run.tsx';
import {
  definitionIn,
  definitionOfDraft,
  draftOfDefinition,
  emptyScope,
  faultsOfScope,
  faultsTold,
  type ScopeDraft,
  type ScopeFaults,
} from '../access/scope-draft.ts';
import { definitionText } from '../access/scope-text.ts';
import { Button } from '../controls/button.tsx';
import { SaveProblem } from '../controls/fields/changed-meanwhile.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave, useDraft } from '../controls/fields/use-draft.ts';
import { t } from '../words/words.ts';
import { useSaveScope } from './scope-changes.ts';
import { ScopeFields } from './scope-fields.tsx';

type Definition = ReturnType<typeof definitionOfDraft>;

/** The form of a scope of the API, a new one or one that is there; or its definition as JSON, held to the same rules. */
export function ScopeForm({ scope }: { scope?: ScopeInFull }) {
  const form = useRef<HTMLFormElement>(null);
  const start = startOf(scope);
  const draft = useDraft(start.draft);
  const [view, setView] = useState<{ is: 'form' | 'json'; of: string | undefined }>();
  // The form of a version that it cannot show would take things away: it is there once its JSON was made to fit.
  const isJson =
    start.text === undefined ? view?.is === 'json' : view?.is !== 'form' || view.of !== scope?.updated_at;
  /** The JSON view: what the form says, until something else is written there. */
  const json = useDraft({ text: start.text ?? JSON.stringify(definitionOfDraft(draft.now), null, 2) });
  const text = isJson ? json.now.text : undefined;
  const [shown, setShown] = useState<ScopeFaults>([]);
  const [fault, setFault] = useState('');
  const unreadable = fault || (json.isTouched ? '' : start.why);
  const save = useSaveScope(scope);
  const { data: scopes } = useQuery(scopesQuery);
  const dryRun = useDryRun();
  const unknown = unknownGroup(scopes);
  const { reset } = dryRun;
  // What it said was about the version before.
  useEffect(() => (scope?.updated_at === undefined ? undefined : reset()), [scope?.updated_at, reset]);
  // What the scope has had before stays as it is.
  const strangers = (group: string) => (scope?.group_mappings.includes(group) ? undefined : unknown?.(group));
  const changed = () => {
    forgetSave(save);
    // An answer about what was written before would be read as one about this.
    dryRun.reset();
    setShown([]);
    setFault('');
  };
  const withDefinition = (act: (definition: Definition) => void) => {
    const read = readNow(text, draft.now);
    setFault(read.why);
    const faults = read.definition ? faultsOfScope(read.definition, strangers) : [];
    setShown(faults);
    if (read.definition && faults.length === 0) act(read.definition);
    // After the faults are on the page.
    else setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) withDefinition((definition) => save.mutate(definition));
  };
  const show = (next: 'form' | 'json') => {
    try {
      if (next === 'form' && text !== undefined) {
        draft.change({ clients: undefined, ...draftOfDefinition(definitionIn(text)) });
        json.discard();
      }
      setView({ is: next, of: scope?.updated_at });
      setFault('');
    } catch (error) {
      setFault(String((error as Error).message));
    }
  };
  const both = {
    isTouched: draft.isTouched || json.isTouched,
    isBehind: draft.isBehind || json.isBehind,
    contested: draft.contested,
    keep: () => {
      draft.keep();
      json.keep();
    },
    discard: () => {
      draft.discard();
      json.discard();
    },
  };
  const faults = [...shown, ...faultsTold(save.error), ...faultsTold(dryRun.error)];
  return (
    <form ref={form} noValidate onSubmit={submit} aria-label={t('Scope')} className="grid max-w-3xl gap-6">
      <ViewOf json={isJson} onShow={show} />
      {text === undefined ? (
        <ScopeFields
          draft={draft.now}
          isNew={scope === undefined}
          faults={faults}
          onChange={(next) => {
            changed();
            draft.change(next);
          }}
        />
      ) : (
        <TextField
          label={t('Definition')}
          rows={24}
          isCode
          value={text}
          fault={unreadable || faults.map(({ at, message }) => `${at}: ${message}`).join('\n') || undefined}
          hint={t('A group definition file, as `mcp-gateway scope import` takes it.')}
          onChange={(next) => {
            changed();
            json.change({ text: next });
          }}
        />
      )}
      {text === undefined && unreadable && <p role="alert">{unreadable}</p>}
      <DryRun run={dryRun} ask={() => withDefinition((definition) => dryRun.mutate({ definition }))} />
      <SaveProblem<ScopeDraft> draft={both} save={save} labels={labels} />
      <div className="flex gap-2">
        <Button type="submit" look="primary" busy={save.isPending}>
          {save.isPending ? t('Saving …') : scope ? t('Save') : t('Create the scope')}
        </Button>
      </div>
    </form>
  );
}

const labels: Partial<Record<keyof ScopeDraft, string>> = {
  description: t('Description'),
  rules: t('Calls to servers'),
  actions: t('Agents'),
  permissions: t('In the registry'),
  agent_access: t('Other agents that are visible'),
  clients: t('Only from these programs'),
  group_mappings: t('Assigned to groups'),
};

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
      <legend className="sr-only">{t('How the scope is shown')}</legend>
      {(['form', 'json'] as const).map((view) => (
        <label key={view} className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={json === (view === 'json')}
            onChange={() => onShow(view)}
            className="size-4 accent-accent"
          />
          {view === 'form' ? t('As a form') : t('As JSON')}
        </label>
      ))}
    </fieldset>
  );
}
