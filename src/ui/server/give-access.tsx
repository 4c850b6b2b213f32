import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { groupNames, scopesKey, scopesQuery, unknownGroup } from '../access/access-query.ts';
import { DryRunEffects, useDryRun } from '../access/dry-run.tsx';
import { api, type Server, serverAccessQuery, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { NamesField } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { ToolChoice } from '../controls/fields/tool-choice.tsx';
import { forgetSave } from '../controls/fields/use-draft.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, t } from '../words/words.ts';
import { GroupsOfPerson } from './groups-of-person.tsx';

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
    forgetSave(save);
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
          <section ref={bringIntoSight} aria-label={t('Effect')} className="grid gap-3">
            <DryRunEffects answer={dryRun.data} />
          </section>
        )}
        {dryRun.error && <Problem error={dryRun.error} />}
        {save.error && <Problem error={save.error} />}
        <div className="sticky bottom-0 -mx-5 -mb-5 flex flex-wrap items-center justify-end gap-3 border-t border-line bg-raised px-5 py-3">
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

/** So that nobody saves what they have not seen: the effect comes below the fields. */
function bringIntoSight(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'start' });
}

function inWords(
  server: Server,
  { groups, tools, visible }: Wanted,
  nameOf: (group: string) => string,
): string {
  const who =
    groups.length === 0
      ? t('No one yet')
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
    description: t('Access to {name}', { name: server.server_name }).slice(0, 200),
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
