import type { Agent, AgentInfo } from '../../contract/agents/agents.ts';
import type { Paint } from './output.ts';
import { fields, table } from './table.ts';

/** Agents as a table. */
export function agentTable(agents: readonly AgentInfo[], room: number | undefined, paint: Paint): string {
  return table(
    agents,
    [
      { title: 'PATH', show: (agent) => agent.path },
      { title: 'NAME', show: (agent) => agent.name },
      {
        title: 'ENABLED',
        show: (agent) => (agent.is_enabled ? 'yes' : 'no'),
        style: (agent) => (agent.is_enabled ? 'green' : 'dim'),
      },
      { title: 'A2A', show: (agent) => agent.protocol_version },
      { title: 'SKILLS', show: (agent) => String(agent.num_skills) },
      { title: 'DESCRIPTION', show: (agent) => agent.description },
    ],
    room,
    paint,
  );
}

/** One agent in full. */
export function agentFields(agent: Agent, paint: Paint): string {
  return fields(
    [
      ['Name', agent.name],
      ['Path', agent.path],
      ['URL', agent.url],
      ['Description', agent.description],
      ['Version', agent.version],
      ['A2A version', agent.protocol_version],
      ['Provider', agent.provider],
      ['Skills', agent.skills.join(', ')],
      ['Streaming', agent.streaming],
      ['Signed', agent.signed],
      ['Tags', agent.tags.join(', ')],
      ['License', agent.license],
      ['Enabled', agent.is_enabled],
      ['Registered', `${agent.registered_at} by ${agent.registered_by}`],
      ['Changed', agent.updated_at],
      ['Revision', agent.revision],
    ],
    paint,
  );
}
