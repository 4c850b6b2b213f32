import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { type AgentInfo, agentCardQuery, agentQuery, agentsQuery, api } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { CopyButton, CopyText } from '../controls/copy.tsx';
import { Description, TagLinks } from '../controls/described.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { Fact } from '../controls/fact.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { type Tab, TabLinks } from '../controls/tab-links.tsx';
import { announce } from '../controls/toasts.tsx';
import { EnabledState } from '../servers/enabled-state.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { t } from '../words/words.ts';
import { useAgentSwitch } from './agent-row.tsx';
import { cardSkills } from './card-skills.ts';

/** Everything about one agent: what it can do, where it is, and its card; for those who may change it the settings. */
export function AgentPage() {
  const { _splat: path = '' } = useParams({ from: '/signed-in/agents/$' });
  const { tab: asked = '' } = useSearch({ from: '/signed-in/agents/$' });
  const { data, error, isPending, refetch } = useQuery(agentsQuery);
  const agent = data?.agents.find((one) => one.path === `/${path}`);
  if (!agent)
    return (
      <Page title={`/${path}`}>
        {isPending && <Pending rows={6} />}
        {error && <Problem error={error} retry={() => void refetch()} />}
        {data && <Empty>{t('This agent does not exist, or you do not have access to it.')}</Empty>}
      </Page>
    );
  const tabs: Tab[] = [
    { name: '', words: t('Overview') },
    ...(agent.can.get ? [{ name: 'card', words: t('Card') }] : []),
    ...(agent.can.modify || agent.can.delete ? [{ name: 'settings', words: t('Settings') }] : []),
  ];
  const current = tabs.some(({ name }) => name === asked) ? asked : '';
  return (
    <Page
      title={agent.name}
      before={<NameTile name={agent.name} size="lg" />}
      below={<span className="font-mono text-code">{agent.path}</span>}
      actions={<State agent={agent} />}
    >
      <TabLinks tabs={tabs} current={current} />
      {current === 'card' ? (
        <Card agent={agent} />
      ) : current === 'settings' ? (
        <Settings agent={agent} />
      ) : (
        <Overview agent={agent} />
      )}
    </Page>
  );
}

function State({ agent }: { agent: AgentInfo }) {
  const { on, change } = useAgentSwitch(agent);
  return <EnabledState name={agent.name} on={on} onChange={agent.can.modify ? change : undefined} />;
}

function Overview({ agent }: { agent: AgentInfo }) {
  return (
    <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="grid min-w-0 gap-6">
        <section aria-label={t('About')} className="grid gap-3">
          <Description text={agent.description} />
          {agent.tags.length > 0 && <TagLinks to="/agents" tags={agent.tags} />}
        </section>
        {agent.can.get ? (
          <Skills agent={agent} />
        ) : (
          <Empty>
            {t('You can see this agent in lists, but not its card. Ask an administrator for access to it.')}
          </Empty>
        )}
      </div>
      <section aria-label={t('Facts')} className="rounded-lg border border-line bg-raised p-4">
        <dl className="grid gap-2.5">
          {agent.url !== null && (
            <Fact name={t('Address')}>
              <CopyText text={agent.url} label={t('Copy the address of {name}', { name: agent.name })} />
            </Fact>
          )}
          {agent.can.get && (
            <Fact name={t('Card')}>
              <CopyText
                text={`${location.origin}/api/agents${agent.path}/card`}
                label={t('Copy the address of the card of {name}', { name: agent.name })}
              />
            </Fact>
          )}
          <Fact name={t('Version')}>
            {agent.version} <span className="text-quiet">· A2A {agent.protocol_version}</span>
          </Fact>
          <Fact name={t('Streaming')}>{agent.streaming ? t('Yes') : t('No')}</Fact>
          {agent.signed && <Fact name={t('Signature')}>{t('On the card; not verified here')}</Fact>}
          {agent.provider !== null && <Fact name={t('Provider')}>{agent.provider}</Fact>}
          {agent.license !== 'N/A' && <Fact name={t('License')}>{agent.license}</Fact>}
          <Fact name={t('Registered')}>
            {t('by {name}', { name: agent.registered_by })}, <RelativeTime iso={agent.registered_at} />
          </Fact>
        </dl>
      </section>
    </div>
  );
}

function Skills({ agent }: { agent: AgentInfo }) {
  const { data, error, isPending, refetch } = useQuery(agentQuery(agent.path));
  const skills = data ? cardSkills(data.card) : [];
  return (
    <section aria-label={t('Skills of {name}', { name: agent.name })} className="grid min-w-0 gap-2">
      <h2 className="text-lead font-semibold">
        {t('Skills')} {data && <span className="font-normal text-quiet">{skills.length}</span>}
      </h2>
      {isPending && <Pending />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && skills.length === 0 && <p className="text-quiet">{t('Its card names no skill.')}</p>}
      {skills.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line bg-raised">
          {skills.map(({ id, name, description, tags, examples }) => (
            <li key={id} className="grid min-w-0 gap-1 border-b border-line px-4 py-3 last:border-0">
              <h3 className="font-semibold break-words">
                {name} <code className="ml-1 font-mono text-code font-normal text-quiet">{id}</code>
              </h3>
              {description && <p className="break-words whitespace-pre-line">{description}</p>}
              {tags.length > 0 && (
                <p className="text-meta break-words text-quiet">{tags.map((tag) => `#${tag}`).join(' ')}</p>
              )}
              {examples.map((example) => (
                <p key={example} className="break-words text-quiet">
                  “{example}”
                </p>
              ))}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Card({ agent }: { agent: AgentInfo }) {
  const { data, error, isPending, refetch } = useQuery(agentCardQuery(agent.path));
  return (
    <section aria-label={t('Card of {name}', { name: agent.name })} className="grid min-w-0 gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-quiet">{t('As it was registered, byte for byte.')}</p>
        {data !== undefined && <CopyButton text={data} label={t('Copy card')} />}
      </div>
      {isPending && <Pending rows={8} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data !== undefined && (
        <pre className="min-w-0 rounded-lg border border-line bg-raised p-4 font-mono text-code break-all whitespace-pre-wrap">
          {data}
        </pre>
      )}
    </section>
  );
}

function Settings({ agent }: { agent: AgentInfo }) {
  const [removing, setRemoving] = useState(false);
  return (
    <div className="grid max-w-3xl gap-4">
      {agent.can.modify && agent.can.get && (
        <section
          aria-label={t('Registration')}
          className="flex flex-wrap items-center justify-between gap-4 rounded-lg border border-line bg-raised p-4"
        >
          <div className="min-w-0 flex-1 basis-64">
            <h2 className="font-semibold">{t('Registration')}</h2>
            <p className="text-quiet">{t('The card, and the tags and license that the registry keeps.')}</p>
          </div>
          <Link to="/edit-agent/$" params={{ _splat: agent.path.slice(1) }} className={buttonClass()}>
            <Pencil size={15} aria-hidden />
            {t('Edit')}
          </Link>
        </section>
      )}
      {agent.can.delete && (
        <section
          aria-label={t('Removal')}
          className="flex flex-wrap items-center justify-between gap-4 rounded-lg border border-line bg-raised p-4"
        >
          <div className="min-w-0 flex-1 basis-64">
            <h2 className="font-semibold">{t('Remove this agent')}</h2>
            <p className="text-quiet">{t('It is no longer listed here. The agent itself keeps running.')}</p>
          </div>
          <Button onClick={() => setRemoving(true)}>
            <Trash2 size={15} aria-hidden />
            {t('Remove')}
          </Button>
        </section>
      )}
      {removing && <RemoveAgent agent={agent} onClose={() => setRemoving(false)} />}
    </div>
  );
}

function RemoveAgent({ agent, onClose }: { agent: AgentInfo; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { name, path, revision } = agent;
  const remove = useMutation({
    mutationFn: () => api('agents.remove', { params: { path }, headers: { 'if-match': `"${revision}"` } }),
    onSuccess: async () => {
      announce('done', t('{name} was removed.', { name }));
      await navigate({ to: '/agents' });
      await queries.invalidateQueries({ queryKey: agentsQuery.queryKey });
    },
  });
  return (
    <Dialog title={t('Remove {name}?', { name })} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {t(
            'It is no longer found in the registry, and its card is deleted here. To pause it, disable it instead.',
          )}
        </p>
        {remove.error && <Problem error={remove.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('Remove')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
