import { type AgentEntry, isMembers, type Members, pathFromName, textOf } from './entry.ts';

/** Whether an object is an A2A card, a wrapped registration of one, or a flat one. */
export function isAgent(value: Members): boolean {
  if (isMembers(value.card) || (typeof value.card === 'string' && 'path' in value)) return true;
  return (
    'skills' in value ||
    'supportedInterfaces' in value ||
    'defaultInputModes' in value ||
    'default_input_modes' in value ||
    'supportedProtocol' in value ||
    'supported_protocol' in value
  );
}

/** An agent as the API takes it. The server takes the registry's members out of a flat file; the path is named after the card. */
export function readAgent(value: Members, at = ''): AgentEntry {
  const card = isMembers(value.card) ? value.card : value;
  const name = textOf(card.name) ?? 'agent';
  const body = { ...value, ...(textOf(value.path) ? {} : { path: pathFromName(name) }) };
  return { kind: 'agent', name, at, body, notes: [] };
}
