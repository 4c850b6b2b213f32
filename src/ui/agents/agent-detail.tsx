import { useQuery } from '@tanstack/react-query';
import { type AgentInfo, agentQuery } from '../api.ts';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { cardSkills } from './card-skills.ts';

/** What is known of one agent: where it is, who provides it, and the skills on its card for those who may get that. */
export function AgentDetail({ agent }: { agent: AgentInfo }) {
  return (
    <div className="grid gap-x-10 gap-y-5 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <dl className="grid content-start gap-2.5">
        {agent.url !== null && (
          <Fact name="URL">
            <CopyText text={agent.url} label={`Copy URL of ${agent.name}`} />
          </Fact>
        )}
        {agent.can.get && (
          <Fact name="Card">
            <CopyText
              text={`${location.origin}/api/agents${agent.path}/card`}
              label={`Copy card address of ${agent.name}`}
            />
          </Fact>
        )}
        <Fact name="Version">
          {agent.version} · A2A {agent.protocol_version}
          {agent.streaming && ' · streaming'}
          {agent.signed && ' · signed, not verified here'}
        </Fact>
        {agent.provider !== null && <Fact name="Provider">{agent.provider}</Fact>}
        <Fact name="Registered">
          by {agent.registered_by}, <RelativeTime iso={agent.registered_at} />
        </Fact>
        {agent.license !== 'N/A' && <Fact name="License">{agent.license}</Fact>}
      </dl>
      {agent.can.get ? (
        <Skills agent={agent} />
      ) : (
        <p className="text-quiet">
          Your scopes let you see this agent in lists, but not its card. Ask an administrator for{' '}
          <code className="font-mono text-code">get_agent</code> on it.
        </p>
      )}
    </div>
  );
}

function Skills({ agent }: { agent: AgentInfo }) {
  const { data, error, isPending, refetch } = useQuery(agentQuery(agent.path));
  const skills = data ? cardSkills(data.card) : [];
  return (
    <section aria-label={`Skills of ${agent.name}`} className="min-w-0">
      <h3 className="mb-1.5 font-semibold">
        Skills {data && <span className="font-normal text-quiet">{skills.length}</span>}
      </h3>
      {isPending && <Pending />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && skills.length === 0 && <p className="text-quiet">Its card names no skill.</p>}
      {skills.length > 0 && (
        <ul className="rounded-md border border-line bg-raised">
          {skills.map(({ id, name, description, tags, examples }) => (
            <li key={id} className="grid gap-1 border-b border-line px-3 py-2 last:border-0">
              <p className="font-semibold">
                {name} <code className="ml-1 font-mono text-code font-normal text-quiet">{id}</code>
              </p>
              {description && <p className="whitespace-pre-line">{description}</p>}
              {tags.length > 0 && (
                <p className="text-meta text-quiet">{tags.map((tag) => `#${tag}`).join(' ')}</p>
              )}
              {examples.map((example) => (
                <p key={example} className="text-quiet">
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
