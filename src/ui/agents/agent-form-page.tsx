import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type ChangeEvent, type FormEvent, useState } from 'react';
import { type Agent, ApiError, agentInFullQuery, agentQuery, agentsQuery, api, meQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { isChangedMeanwhile, SaveProblem } from '../controls/fields/changed-meanwhile.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave, useDraft } from '../controls/fields/use-draft.ts';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, t } from '../words/words.ts';
import { exampleCard, pathFromName, readCard } from './card-text.ts';

/** Registers an agent by its card: pasted, from a file, or starting from an example. */
export function RegisterAgent() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  const may = (me.ui_permissions.publish_agent?.length ?? 0) > 0;
  return (
    <Page title={t('Register an agent')}>
      {may ? (
        <AgentForm card="" />
      ) : (
        <NotAllowed
          words={t('You are not allowed to register agents. Ask an administrator for the permission.')}
        />
      )}
    </Page>
  );
}

/** Changes the card of an agent and what the registry keeps beside it. */
export function EditAgent() {
  const { _splat: name = '' } = useParams({ from: '/signed-in/edit-agent/$' });
  const path = `/${name}`;
  const { data, error, isPending, refetch } = useQuery(agentInFullQuery(path));
  return (
    <Page title={t('Edit {name}', { name: data?.agent.name ?? path })}>
      {isPending && <Pending rows={8} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && !data.agent.can.modify && (
        <NotAllowed
          words={t('You are not allowed to change this agent. Ask an administrator for the permission.')}
        />
      )}
      {data?.agent.can.modify && <AgentForm key={path} agent={data.agent} card={data.card} />}
    </Page>
  );
}

function NotAllowed({ words }: { words: string }) {
  return (
    <Empty>
      <p className="max-w-prose text-quiet">{words}</p>
    </Empty>
  );
}

function AgentForm({ agent, card: stored }: { agent?: Agent; card: string }) {
  const draft = useDraft({
    card: stored,
    tags: agent?.tags.join(', ') ?? '',
    license: agent === undefined || agent.license === 'N/A' ? '' : agent.license,
  });
  const { card, tags, license } = draft.now;
  const [written, setWritten] = useState(agent?.path);
  const [enabled, setEnabled] = useState(true);
  const [touched, setTouched] = useState(false);
  const read = readCard(card);
  const path = written ?? (read.is === 'card' ? pathFromName(read.name) : '');
  const save = useSave(agent);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    if (save.isPending || read.is !== 'card' || path.replaceAll('/', '') === '') return;
    save.mutate({
      path,
      card,
      tags: tags
        .split(',')
        .map((tag) => tag.trim())
        .filter(Boolean),
      license: license.trim() || 'N/A',
      metadata: agent?.metadata ?? {},
      ...(agent ? {} : { is_enabled: enabled }),
    });
  };
  const change = (set: () => void) => {
    set();
    forgetSave(save);
  };
  const takeFile = async (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.currentTarget.files ?? [];
    if (file) {
      const text = await file.text();
      change(() => draft.change({ card: text }));
    }
  };
  return (
    <form noValidate onSubmit={submit} aria-label={t('Agent')} className="grid max-w-5xl gap-6">
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="grid min-w-0 gap-2">
          <TextField
            label={t('Agent card (JSON)')}
            value={card}
            rows={22}
            isCode
            hint={t('A2A 1.0 or 0.3. It is kept byte for byte, so signatures stay valid.')}
            fault={touched && read.is !== 'card' ? read.fault : faultsOf(save.error)}
            onChange={(text) => change(() => draft.change({ card: text }))}
          />
          <div className="flex flex-wrap gap-2">
            <label
              className={`${buttonClass()} cursor-pointer focus-within:outline-2 focus-within:outline-accent`}
            >
              {t('Choose a file')}
              <input
                type="file"
                accept=".json,application/json"
                className="sr-only"
                onChange={(event) => void takeFile(event)}
              />
            </label>
            {card.trim() === '' && (
              <Button onClick={() => change(() => draft.change({ card: exampleCard }))}>
                {t('Start from an example')}
              </Button>
            )}
          </div>
        </div>
        <div className="grid min-w-0 gap-4">
          <TextField
            label={t('Path')}
            value={path}
            readOnly={agent !== undefined}
            placeholder="/flight-booking"
            hint={
              agent
                ? t('The path cannot be changed: scopes refer to it.')
                : t('Where it is found in the registry.')
            }
            fault={touched && path.replaceAll('/', '') === '' ? t('Enter a path.') : undefined}
            onChange={(text) => change(() => setWritten(text))}
          />
          <TextField
            label={t('Tags')}
            value={tags}
            hint={t('Separated by commas')}
            onChange={(text) => change(() => draft.change({ tags: text }))}
          />
          <TextField
            label={t('License')}
            value={license}
            placeholder="Apache-2.0"
            onChange={(text) => change(() => draft.change({ license: text }))}
          />
          {!agent && (
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={enabled}
                onChange={(event) => setEnabled(event.currentTarget.checked)}
                className="size-4 accent-accent"
              />
              {t('Enable it now')}
            </label>
          )}
          <div role="status" className="rounded-md bg-sunken p-3">
            {read.is === 'card' ? (
              <>
                <p className="font-semibold break-words">{read.name}</p>
                <p className="line-clamp-3 break-words text-quiet">{read.description}</p>
                <p className="mt-1 text-meta text-quiet">{count(read.skills, '{n} skill', '{n} skills')}</p>
              </>
            ) : (
              <p className="text-quiet">{read.fault}</p>
            )}
          </div>
        </div>
      </div>
      <SaveProblem
        draft={draft}
        save={save}
        labels={{ card: t('Agent card (JSON)'), tags: t('Tags'), license: t('License') }}
      />
      <div>
        <Button type="submit" look="primary" busy={save.isPending}>
          {agent ? t('Save') : t('Register')}
        </Button>
      </div>
    </form>
  );
}

function useSave(agent: Agent | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: Record<string, unknown>) =>
      agent
        ? api('agents.replace', {
            params: { path: agent.path },
            headers: { 'if-match': `"${agent.revision}"` },
            body,
          })
        : api('agents.register', { body }),
    onSuccess: async ({ name, path }) => {
      announce('done', t('{name} is saved.', { name }));
      await Promise.all([
        queries.invalidateQueries({ queryKey: agentsQuery.queryKey }),
        queries.invalidateQueries({ queryKey: agentQuery(path).queryKey }),
      ]);
      await navigate({ to: '/agents/$', params: { _splat: path.slice(1) } });
    },
    onError: (error) =>
      agent && isChangedMeanwhile(error)
        ? queries.invalidateQueries({ queryKey: agentQuery(agent.path).queryKey })
        : undefined,
  });
}

function faultsOf(error: unknown): string | undefined {
  const faults = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const ofCard = faults.filter(({ at }) => at.startsWith('body.card'));
  if (ofCard.length === 0) return undefined;
  return ofCard
    .map(({ at, message }) => `${at.replace(/^body\.card\.?/, '') || 'card'}: ${message}`)
    .join('\n');
}
