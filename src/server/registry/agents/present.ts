import type { Agent, AgentInfo } from '../../../contract/agents/agents.ts';
import { nameOfPath } from '../../../contract/servers/servers.ts';
import type { Access } from '../../access/caller.ts';
import type { AgentRow, ListedAgent } from './store.ts';

/** An agent as lists show it to one caller: where it is stays hidden from those who may not get its card. */
export function presentInList(row: ListedAgent, access: Access): AgentInfo {
  const { notes, summary, interfaces } = row;
  const may = (permission: 'get_agent' | 'modify_agent' | 'delete_agent'): boolean =>
    access.may(permission, nameOfPath(row.path));
  return {
    ...summary,
    id: row.id,
    path: row.path,
    protocol_version: interfaces[0]?.version ?? '',
    url: may('get_agent') ? (interfaces[0]?.url ?? null) : null,
    num_skills: summary.skills.length,
    tags: notes.tags,
    license: notes.license,
    is_enabled: row.isEnabled,
    registered_by: row.registeredBy,
    registered_at: row.registeredAt,
    updated_at: row.updatedAt,
    revision: row.revision,
    can: { get: may('get_agent'), modify: may('modify_agent'), delete: may('delete_agent') },
  };
}

/** An agent with its card; without, for somebody who may not get it. */
export function present(row: AgentRow, access: Access): Agent {
  const info = presentInList(row, access);
  if (!info.can.get) return { ...info, metadata: {}, card: null };
  return { ...info, metadata: row.notes.metadata, card: JSON.parse(row.card) as Agent['card'] };
}
