import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { groupNames, scopesKey, scopesQuery, unknownGroup } from '../access/access-query.ts';
import { DryRunEffects, useDryRun } from '../access/dry-run.tsx';
import { api, type Server, serverAccessQuery, type Tool, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { NamesField } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, t } from '../words/words.ts';
import { GroupsOfPerson } from './groups-of-person.tsx';
import { kindOfTool, type ToolKind } from './tool-kind.ts';

interface Wanted {
  readonly groups: readonly string[];
  /** Null for every tool, also those to come. */
  readonly tools: readonly string[] | null;
  readonly visible: boolean;
  readonly scope: string;
}

/** Gives groups access to a server: who, which tools, whether they see it; shown in words and as a dry run, then saved. */
export function GiveAccess({ server, onClose }: { server: Server; onClose: () => void }) {
  const queries = useQueryClient();
  const { data: scopes } = useQuery(scopesQuery);
  const { data: listed, isPending } = useQuery(toolsQuery(server.path));
  const [wanted, setWanted] = useState<Wanted>({ groups: [], tools: [], visible: true, scope: '' });
  const [missing, setMissing] = useState('');
  const dryRun = useDryRun();
  const names = groupNames(scopes);
  const offers = (scopes?.keycloak_groups ?? []).map(({ mapping, name }) => ({
    value: mapping,
    words: name,
  }));
  const taken = new Set(Object.keys(scopes?.scopes_groups ?? {}));
  const scope = wanted.scope.trim() || freeName(server, taken);
  const definition = definitionOf(server, wanted, scope);
  const save = useMutation({
    mutationFn: async () => {
      const { scope_name: name, scope_type: _, description, ...scope_config } = definition;
      return api('groups.create', { body: { name, description, scope_config } });
    },
    onSuccess: async ({ warnings }) => {
      announce('done', [t('Access was given.'), ...warnings].join('\n'));
      onClose();
      await Promise.all([
        queries.invalidateQueries({ queryKey: [scopesKey] }),
        queries.invalidateQueries({ queryKey: serverAccessQuery(server.path).queryKey }),
      ]);
    },
  });
  const change = (changed: Partial<Wanted>) => {
    setWanted({ ...wanted, ...changed });
    setMissing('');
    dryRun.reset();
    save.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (dryRun.isPending || save.isPending) return;
    if (wanted.groups.length === 0) return setMissing(t('Choose at least one group.'));
    if (wanted.tools?.length === 0 && !wanted.visible)
      return setMissing(t('Choose at least one tool, or let them see the server.'));
    if (dryRun.data && !dryRun.data.locks_out) save.mutate();
    else dryRun.mutate({ definition });
  };
  const reviewed = dryRun.data !== undefined;
  return (
    <Dialog title={t('Give access to {name}', { name: server.server_name })} onClose={onClose}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        <div className="grid gap-2">
          <NamesField
            label={t('Who')}
            names={wanted.groups}
            suggestions={offers}
            unknown={unknownGroup(scopes)}
            hint={t('Groups of the directory, by name.')}
            onChange={(groups) => change({ groups })}
          />
          <GroupsOfPerson
            onChoose={(group) => change({ groups: [...new Set([...wanted.groups, group])] })}
            mappingOf={(name) => offers.find(({ words, value }) => words === name || value === name)?.value}
          />
        </div>
        {isPending ? (
          <Pending rows={3} />
        ) : (
          <ToolChoice
            tools={listed?.tools ?? []}
            chosen={wanted.tools}
            onChange={(tools) => change({ tools })}
          />
        )}
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            checked={wanted.visible}
            onChange={(event) => change({ visible: event.currentTarget.checked })}
            className="mt-0.5 size-4 shrink-0 accent-accent"
          />
          <span>
            {t('Visible in the catalog')}
            <span className="block text-meta text-quiet">
              {t('Without this they can call it, but find neither the server nor how to connect.')}
            </span>
          </span>
        </label>
        <details>
          <summary className="w-fit rounded-sm text-quiet underline underline-offset-4">
            {t('Saved as the scope {scope}', { scope })}
          </summary>
          <div className="mt-2">
            <TextField
              label={t('Name of the scope')}
              value={wanted.scope}
              placeholder={scope}
              onChange={(name) => change({ scope: name })}
            />
          </div>
        </details>
        <p role="status" className="rounded-md bg-sunken p-3">
          {inWords(server, wanted, (group) => names.get(group.toLowerCase()) ?? group)}
        </p>
        {reviewed && (
          <section aria-label={t('Effect')} className="grid gap-3">
            <DryRunEffects answer={dryRun.data} />
          </section>
        )}
        {dryRun.error && <Problem error={dryRun.error} />}
        {save.error && <Problem error={save.error} />}
        <div className="flex flex-wrap items-center justify-end gap-3">
          <span role="alert" className="text-bad">
            {missing}
          </span>
          <Button type="submit" look="primary" busy={dryRun.isPending || save.isPending}>
            {reviewed ? t('Save') : t('Review')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const kinds: readonly (readonly [ToolKind, string])[] = [
  ['read-only', t('Read-only')],
  ['other', t('May change things')],
  ['destructive', t('Destructive')],
];

function ToolChoice({
  tools,
  chosen,
  onChange,
}: {
  tools: readonly Tool[];
  chosen: readonly string[] | null;
  onChange: (tools: readonly string[] | null) => void;
}) {
  const name = useId();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 font-medium">{t('What')}</legend>
      <div className="flex flex-wrap gap-x-6 gap-y-1">
        <label className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={chosen !== null}
            onChange={() => onChange([])}
            className="size-4 accent-accent"
          />
          {t('Only these tools')}
        </label>
        <label className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={chosen === null}
            onChange={() => onChange(null)}
            className="size-4 accent-accent"
          />
          {t('Every tool, including new ones')}
        </label>
      </div>
      {chosen !== null && tools.length === 0 && (
        <p className="text-quiet">{t('The server has no tool that is known here.')}</p>
      )}
      {chosen !== null && tools.length > 0 && (
        <div className="grid max-h-72 gap-3 overflow-y-auto rounded-md border border-line p-3">
          {kinds.map(([kind, words]) => {
            const these = tools.filter((tool) => kindOfTool(tool) === kind).map((tool) => tool.name);
            if (these.length === 0) return null;
            const all = these.every((tool) => chosen.includes(tool));
            return (
              <fieldset key={kind} className="grid gap-1">
                <legend className="flex items-center gap-2 text-meta font-medium text-quiet">
                  {words}
                  <button
                    type="button"
                    className="rounded-sm underline underline-offset-4"
                    onClick={() =>
                      onChange(
                        all
                          ? chosen.filter((tool) => !these.includes(tool))
                          : [...new Set([...chosen, ...these])],
                      )
                    }
                  >
                    {all ? t('Clear') : t('Select all {n}', { n: these.length })}
                  </button>
                </legend>
                {these.map((tool) => (
                  <label key={tool} className="flex min-h-6 items-center gap-2">
                    <input
                      type="checkbox"
                      checked={chosen.includes(tool)}
                      onChange={(event) =>
                        onChange(
                          event.currentTarget.checked
                            ? [...chosen, tool]
                            : chosen.filter((one) => one !== tool),
                        )
                      }
                      className="size-4 shrink-0 accent-accent"
                    />
                    <code className="font-mono text-code">{tool}</code>
                  </label>
                ))}
              </fieldset>
            );
          })}
        </div>
      )}
    </fieldset>
  );
}

function inWords(
  server: Server,
  { groups, tools, visible }: Wanted,
  nameOf: (group: string) => string,
): string {
  const who =
    groups.length === 0
      ? t('Nobody yet')
      : t('Members of {groups}', { groups: groups.map(nameOf).join(', ') });
  const calls =
    tools === null
      ? t('can call every tool of {name}', { name: server.server_name })
      : tools.length === 0
        ? t('can call no tool of {name}', { name: server.server_name })
        : `${count(tools.length, 'can call {n} tool', 'can call {n} tools')} (${tools.join(', ')})`;
  return `${who} ${calls}; ${visible ? t('they see it in the catalog.') : t('they do not see it in the catalog.')}`;
}

function definitionOf(server: Server, { groups, tools, visible }: Wanted, scope_name: string) {
  const name = server.path.slice(1);
  const methods = ['initialize', 'ping', 'tools/list', 'tools/call'];
  const callsNothing = tools?.length === 0;
  return {
    scope_name,
    scope_type: 'server_scope',
    description: `Access to ${server.server_name}`.slice(0, 200),
    server_access: callsNothing
      ? []
      : [{ server: name, methods, tools: tools === null ? ['all'] : [...tools] }],
    group_mappings: [...groups],
    ui_permissions: (visible ? { list_service: [name] } : {}) as Record<string, string[]>,
  };
}

/** A name for the scope that no other has: that of the server, with a number where it is taken. */
function freeName(server: Server, taken: ReadonlySet<string>): string {
  const base = `access/${server.path.slice(1)}`;
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(name)) return name;
  }
}
