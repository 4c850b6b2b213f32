import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useRef, useState } from 'react';
import { type ScopeInFull, scopesQuery, unknownGroup } from '../access/access-query.ts';
import { DryRun, useDryRun } from '../access/dry-run.tsx';
import { definitionText } from '../access/scope-text.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { useSaveScope } from './scope-changes.ts';
import {
  definitionIn,
  definitionOfDraft,
  draftOfDefinition,
  emptyScope,
  faultsOfScope,
  faultsTold,
  type ScopeDraft,
  type ScopeFaults,
} from './scope-draft.ts';
import { ScopeFields } from './scope-fields.tsx';

type Definition = ReturnType<typeof definitionOfDraft>;

/** The form of a scope of the API, a new one or one that is there; or its definition as JSON, held to the same rules. */
export function ScopeForm({ scope }: { scope?: ScopeInFull }) {
  const form = useRef<HTMLFormElement>(null);
  const [start] = useState(() => startOf(scope));
  const [draft, setDraft] = useState(start.draft);
  /** The JSON view while it is open. */
  const [text, setText] = useState(start.text);
  const [shown, setShown] = useState<ScopeFaults>([]);
  const [unreadable, setUnreadable] = useState(start.why);
  const save = useSaveScope(scope);
  const { data: scopes } = useQuery(scopesQuery);
  const dryRun = useDryRun();
  const unknown = unknownGroup(scopes);
  // What the scope has had before stays as it is.
  const strangers = (group: string) => (scope?.group_mappings.includes(group) ? undefined : unknown?.(group));
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
    <form ref={form} noValidate onSubmit={submit} aria-label={t('Scope')} className="grid max-w-3xl gap-6">
      <ViewOf json={text !== undefined} onShow={show} />
      {text === undefined ? (
        <ScopeFields
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
          label={t('Definition')}
          rows={24}
          isCode
          value={text}
          fault={unreadable || faults.map(({ at, message }) => `${at}: ${message}`).join('\n') || undefined}
          hint={t('A group definition file, as `mcp-gateway scope import` takes it.')}
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
          {save.isPending ? t('Saving …') : scope ? t('Save') : t('Create the scope')}
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
