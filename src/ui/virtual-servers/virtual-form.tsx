import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { slugOf } from '../../contract/servers/virtual-servers.ts';
import { api, meQuery, serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { isChangedMeanwhile, SaveProblem } from '../controls/fields/changed-meanwhile.tsx';
import { NamesField } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave, useDraft } from '../controls/fields/use-draft.ts';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import { SourceFields } from './source-fields.tsx';
import {
  draftOf,
  emptyDraft,
  faultAt,
  faultsIn,
  inputOf,
  placesOf,
  type Step,
  stepOf,
  steps,
  type Virtual,
  type VirtualDraft,
  type VirtualFaults,
  virtualServersKey,
  wholeOf,
} from './virtual-draft.ts';

/** The four steps of a virtual server, a new one or one that is there. */
export function VirtualForm({ virtual, may }: { virtual?: Virtual; may: { share: boolean; own: boolean } }) {
  const form = useRef<HTMLFormElement>(null);
  const kept = useDraft(virtual ? draftOf(virtual) : emptyDraft(!may.own));
  const draft = kept.now;
  const [step, setStep] = useState<Step>('what');
  const save = useSave(virtual);
  const faults = faultsIn(save.error);
  const at = steps.indexOf(step);
  const next = steps[at + 1];
  useEffect(() => {
    const wrong = faultsIn(save.error);
    if (wrong.length === 0) return;
    setStep(stepOf(wrong));
    // After the step is on the page.
    setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  }, [save.error]);
  const change = (more: Partial<VirtualDraft>) => {
    forgetSave(save);
    kept.change(more);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (next) setStep(next);
    else if (!save.isPending) save.mutate(draft);
  };
  const shown = { draft, faults, onChange: change };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={submit}
      aria-label={t('Virtual server')}
      className="grid max-w-3xl gap-5"
    >
      <StepList step={step} onStep={setStep} />
      {step === 'what' && <What {...shown} may={may} isNew={virtual === undefined} />}
      {step === 'tools' && <Sources {...shown} />}
      {step === 'who' && <Who {...shown} />}
      {step === 'check' && <Check draft={draft} />}
      <SaveProblem draft={kept} save={save} labels={labels} />
      <div className="flex gap-2">
        {at > 0 && <Button onClick={() => setStep(steps[at - 1] ?? 'what')}>{t('Back')}</Button>}
        <Button type="submit" look="primary" busy={save.isPending}>
          {next ? t('Next') : virtual ? t('Save') : t('Create')}
        </Button>
      </div>
    </form>
  );
}

const labels: Partial<Record<keyof VirtualDraft, string>> = {
  name: t('Name'),
  description: t('Description'),
  tags: t('Tags'),
  separator: t('Between prefix and name'),
  sources: t('Servers and tools'),
  scopes: t('Scopes that every caller needs'),
};

function useSave(virtual: Virtual | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (draft: VirtualDraft) =>
      virtual
        ? api('virtualServers.change', {
            params: { path: virtual.path },
            headers: { 'if-match': `"${virtual.revision}"` },
            body: JSON.parse(JSON.stringify(inputOf(draft))),
          })
        : api('virtualServers.create', { body: inputOf(draft) }),
    onSuccess: async ({ server_name: name }) => {
      announce('done', virtual ? t('{name} was saved.', { name }) : t('{name} was created.', { name }));
      await queries.invalidateQueries({ queryKey: [virtualServersKey] });
      await navigate({ to: '/virtual-servers' });
    },
    onError: (error) =>
      isChangedMeanwhile(error) ? queries.invalidateQueries({ queryKey: [virtualServersKey] }) : undefined,
  });
}

function StepList({ step, onStep }: { step: Step; onStep: (step: Step) => void }) {
  const names: Record<Step, string> = {
    what: t('Name'),
    tools: t('Servers and tools'),
    who: t('Who can use it'),
    check: t('Check'),
  };
  return (
    <ol aria-label={t('Steps')} className="flex flex-wrap gap-x-5 gap-y-1">
      {steps.map((one, at) => (
        <li key={one}>
          <button
            type="button"
            aria-current={one === step ? 'step' : undefined}
            onClick={() => onStep(one)}
            className={`h-8 border-b-2 ${one === step ? 'border-ink font-semibold' : 'border-transparent text-quiet hover:text-ink'}`}
          >
            {at + 1}. {names[one]}
          </button>
        </li>
      ))}
    </ol>
  );
}

interface Shown {
  draft: VirtualDraft;
  faults: VirtualFaults;
  onChange: (more: Partial<VirtualDraft>) => void;
}

function What({
  draft,
  faults,
  onChange,
  may,
  isNew,
}: Shown & { may: { share: boolean; own: boolean }; isNew: boolean }) {
  const base = `/virtual/${draft.shared ? '' : 'me/'}`;
  return (
    <>
      <TextField
        label={t('Name')}
        value={draft.name}
        fault={faultAt(faults, 'server_name')}
        onChange={(name) => onChange({ name })}
      />
      <TextField
        label={t('Path')}
        value={draft.slug}
        placeholder={slugOf(draft.name)}
        readOnly={!isNew}
        fault={faultAt(faults, 'path')}
        hint={
          isNew
            ? t('Clients connect to {path}', {
                path: `${base}${draft.slug || slugOf(draft.name) || '…'}/mcp`,
              })
            : t('The path cannot be changed: clients and scopes refer to it.')
        }
        onChange={(slug) => onChange({ slug })}
      />
      <TextField
        label={t('Description')}
        rows={2}
        value={draft.description}
        fault={faultAt(faults, 'description')}
        onChange={(description) => onChange({ description })}
      />
      <NamesField
        label={t('Tags')}
        names={draft.tags}
        fault={faultAt(faults, 'tags')}
        onChange={(tags) => onChange({ tags })}
      />
      {isNew && may.share && may.own && (
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={draft.shared}
            onChange={(event) => onChange({ shared: event.currentTarget.checked })}
            className="size-4 accent-accent"
          />
          {t('Share it: others see it when a scope allows it')}
        </label>
      )}
    </>
  );
}

function Sources({ draft, faults, onChange }: Shown) {
  const { data } = useQuery(serversQuery);
  const scopes = useScopes();
  const servers = data?.servers ?? [];
  const places = placesOf(draft);
  const nameOf = (path: string) => servers.find((one) => one.path === path)?.server_name ?? path;
  return (
    <>
      <NamesField
        label={t('Servers')}
        names={[...new Set(draft.sources.map(({ path }) => path))]}
        suggestions={servers.map(({ path, server_name }) => ({ value: path, words: server_name }))}
        unknown={(path) => t("There is no server '{path}'. Choose one from the list.", { path })}
        fault={faultAt(
          faults.filter(({ at }) => at === 'tool_mappings'),
          'tool_mappings',
        )}
        hint={t('Each with all its tools, prompts and resources, or with single tools of it.')}
        onChange={(paths) =>
          onChange({
            sources: [
              ...draft.sources.filter(({ path }) => paths.includes(path)),
              ...paths.filter((path) => !draft.sources.some((one) => one.path === path)).map(wholeOf),
            ],
          })
        }
      />
      {draft.sources.map((source, at) => (
        <SourceFields
          // biome-ignore lint/suspicious/noArrayIndexKey: one server may be there twice, as a whole and with single tools
          key={`${source.path} ${at}`}
          source={source}
          called={nameOf(source.path)}
          current={servers.find((one) => one.path === source.path)?.version ?? null}
          places={places[at] ?? { own: undefined, tools: [] }}
          faults={faults}
          scopes={scopes}
          onChange={(next) => onChange({ sources: draft.sources.with(at, next) })}
          onRemove={() => onChange({ sources: draft.sources.toSpliced(at, 1) })}
        />
      ))}
      {draft.sources.some(({ whole }) => whole) && (
        <TextField
          label={t('Between prefix and name')}
          value={draft.separator}
          fault={faultAt(faults, 'separator')}
          onChange={(separator) => onChange({ separator })}
        />
      )}
      {faultAt(faults, 'tool_scope_overrides') && (
        <p role="alert" className="text-bad">
          {faultAt(faults, 'tool_scope_overrides')}
        </p>
      )}
    </>
  );
}

function Who({ draft, faults, onChange }: Shown) {
  const scopes = useScopes();
  return (
    <>
      <p className="max-w-prose text-quiet">
        {draft.shared
          ? t(
              'A caller needs a rule for this virtual server and one for each real tool. All scopes chosen here are needed as well.',
            )
          : t('Only you see it. It gives you what you can call at the servers, and nothing more.')}
      </p>
      <NamesField
        label={t('Scopes that every caller needs')}
        names={draft.scopes}
        suggestions={scopes}
        fault={faultAt(faults, 'required_scopes')}
        onChange={(chosen) => onChange({ scopes: chosen })}
      />
    </>
  );
}

function Check({ draft }: { draft: VirtualDraft }) {
  const { path, members = [], tool_mappings = [] } = inputOf(draft);
  return (
    <div className="grid gap-3">
      <p>{t('Clients connect to {path}', { path: `${path}/mcp` })}</p>
      <ul aria-label={t('What it has')} className="list-disc pl-5">
        {tool_mappings.map((one) => (
          <li key={`${one.backend_server_path} ${one.tool_name} ${one.alias}`}>
            <code>{one.alias ?? one.tool_name}</code> = {one.backend_server_path} {one.tool_name}
          </li>
        ))}
        {members.map((one) => (
          <li key={one.backend_server_path}>
            {one.prefix === '' ? (
              <code>*</code>
            ) : (
              <code>
                {one.prefix ?? one.backend_server_path.slice(1)}
                {draft.separator}*
              </code>
            )}{' '}
            = {one.backend_server_path}
          </li>
        ))}
      </ul>
      {members.length + tool_mappings.length === 0 && (
        <p>{t('Nothing yet: choose a server or a tool in the second step.')}</p>
      )}
      <p className="text-quiet">
        {t('Two tools cannot have the same name; saving shows where that is the case.')}
      </p>
    </div>
  );
}

function useScopes() {
  const { data } = useQuery(meQuery);
  return (data?.scopes ?? []).map((value) => ({ value }));
}
