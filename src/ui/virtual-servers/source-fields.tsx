import { useQuery } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useId } from 'react';
import { toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { NamesField, type Suggestion } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { t } from '../words/words.ts';
import { faultAt, type SourceDraft, type ToolDraft, type VirtualFaults } from './virtual-draft.ts';

/** What is taken of one server: the whole, with its prefix, or single tools with names and descriptions of their own. */
export function SourceFields({
  source,
  called,
  current,
  places,
  faults,
  scopes,
  onChange,
  onRemove,
}: {
  source: SourceDraft;
  /** The server's name. */
  called: string;
  /** The version that the registry has of it now. */
  current: string | null;
  places: { own: string | undefined; tools: readonly string[] };
  faults: VirtualFaults;
  scopes: readonly Suggestion[];
  onChange: (source: SourceDraft) => void;
  onRemove: () => void;
}) {
  const { data, error } = useQuery(toolsQuery(source.path));
  const name = useId();
  const offered = (data?.tools ?? []).map((tool) => tool.name);
  const taken = source.tools.map(({ tool }) => tool);
  const pinnable = source.version ?? current;
  const own = faultAt(faults, places.own);
  return (
    <fieldset className="grid gap-3 rounded-lg border border-line bg-raised p-4">
      <legend className="px-1 font-semibold">{called}</legend>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        {([true, false] as const).map((whole) => (
          <label key={String(whole)} className="flex items-center gap-2">
            <input
              type="radio"
              name={name}
              checked={source.whole === whole}
              onChange={() => onChange({ ...source, whole })}
              className="size-4 accent-accent"
            />
            {whole ? t('The whole server, now and later') : t('Single tools')}
          </label>
        ))}
        <Button
          look="quiet"
          className="ml-auto"
          aria-label={t('Take out {name}', { name: called })}
          onClick={onRemove}
        >
          <Trash2 size={14} aria-hidden />
        </Button>
      </div>
      {source.whole ? (
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label={t('Prefix of {name}', { name: called })}
            value={source.prefix ?? ''}
            placeholder={source.prefix === '' ? '' : source.path.slice(1)}
            fault={own}
            hint={t('Prefix of the names of its tools and prompts; by default the name of the server.')}
            onChange={(prefix) => onChange({ ...source, prefix: prefix === '' ? null : prefix })}
          />
          <label className="flex items-center gap-2 self-start sm:mt-8">
            <input
              type="checkbox"
              checked={source.prefix === ''}
              onChange={(event) => onChange({ ...source, prefix: event.currentTarget.checked ? '' : null })}
              className="size-4 accent-accent"
            />
            {t('No prefix')}
          </label>
        </div>
      ) : (
        <>
          <NamesField
            label={t('Tools of {name}', { name: called })}
            names={taken}
            suggestions={offered.map((value) => ({ value }))}
            unknown={(tool) =>
              data && t("'{tool}' is not a tool of this server that you can call.", { tool })
            }
            hint={error ? error.message : t('Choose from the list, or write part of a name.')}
            onChange={(names) => onChange({ ...source, tools: names.map((tool) => toolOf(source, tool)) })}
          />
          {source.tools.map((tool, at) => (
            <ToolFields
              key={tool.tool}
              tool={tool}
              place={places.tools[at] ?? ''}
              faults={faults}
              scopes={scopes}
              onChange={(next) => onChange({ ...source, tools: source.tools.with(at, next) })}
            />
          ))}
        </>
      )}
      {pinnable !== null && (
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={source.version !== null}
            onChange={(event) =>
              onChange({ ...source, version: event.currentTarget.checked ? pinnable : null })
            }
            className="size-4 accent-accent"
          />
          {t('Only version {version}: taken out when the registry has another', { version: pinnable })}
        </label>
      )}
    </fieldset>
  );
}

function toolOf({ tools }: SourceDraft, name: string): ToolDraft {
  return tools.find(({ tool }) => tool === name) ?? { tool: name, alias: '', description: '', scopes: [] };
}

function ToolFields({
  tool,
  place,
  faults,
  scopes,
  onChange,
}: {
  tool: ToolDraft;
  place: string;
  faults: VirtualFaults;
  scopes: readonly Suggestion[];
  onChange: (tool: ToolDraft) => void;
}) {
  const name = tool.tool;
  return (
    <div className="grid gap-3 border-t border-line pt-3 sm:grid-cols-2">
      <TextField
        label={t('Name of {name} for clients', { name })}
        value={tool.alias}
        placeholder={name}
        fault={faultAt(faults, place)}
        onChange={(alias) => onChange({ ...tool, alias })}
      />
      <NamesField
        label={t('Scopes that {name} needs', { name })}
        names={tool.scopes}
        suggestions={scopes}
        onChange={(chosen) => onChange({ ...tool, scopes: chosen })}
      />
      <div className="sm:col-span-2">
        <TextField
          label={t('Description of {name} for clients', { name })}
          value={tool.description}
          placeholder={t('As the server describes it')}
          onChange={(description) => onChange({ ...tool, description })}
        />
      </div>
    </div>
  );
}
