import type { AgentCard } from '../../../contract/agents/agent-card.ts';
import { isObject } from '../../../contract/values/json.ts';
import { type Fault, invalidInput } from '../../failure/errors.ts';

type Members = Record<string, unknown>;

/** Members of a flat body that are the registry's and not the card's. */
export const registryMembers = ['path', 'tags', 'license', 'metadata', 'is_enabled'] as const;

/** Takes the registry's members out of a flat body; `asSent`: there were none, and the body as it came is the card. */
export function lift(body: Readonly<Members>): { notes: Members; card: AgentCard; asSent: boolean } {
  const foreign = foreignMembers.some((name) => name in body);
  const members = new Map(Object.entries(foreign ? fromRegistration(body) : body));
  const notes: Members = {};
  for (const name of registryMembers) {
    if (members.has(name)) notes[name] = members.get(name);
    members.delete(name);
  }
  const asSent = !foreign && Object.keys(notes).length === 0;
  return { notes, card: Object.fromEntries(members), asSent };
}

/** Members that only the other registry's files have: one of them tells that a flat body is such a file. */
const foreignMembers = [
  ...[
    'supportedProtocol',
    'supported_protocol',
    'visibility',
    'allowed_groups',
    'status',
    'isEnabled',
    'trust_level',
  ],
  ...['trustLevel', 'num_stars', 'registered_at', 'registered_by', 'default_input_modes', 'security_schemes'],
];

/** What that registry derives or keeps for itself: it is no part of a card. */
const derivedMembers = new Set([
  ...['id', 'num_stars', 'rating_details', 'registered_at', 'registered_by', 'updated_at', 'health_status'],
  ...[
    'last_health_check',
    'sync_metadata',
    'ans_metadata',
    'ans_agent_id',
    'trust_level',
    'trustLevel',
    'status',
  ],
  ...[
    'num_skills',
    'security_scan',
    'record_kind',
    'ard_source_url',
    'source_created_at',
    'source_updated_at',
  ],
  ...['external_tags', 'provider_organization', 'provider_url', 'proxy_pass_url', 'signature', 'isEnabled'],
]);

const otherNames: Readonly<Record<string, string>> = {
  protocol_version: 'protocolVersion',
  preferred_transport: 'preferredTransport',
  supported_protocol: 'supportedProtocol',
  security_schemes: 'securitySchemes',
  default_input_modes: 'defaultInputModes',
  default_output_modes: 'defaultOutputModes',
  documentation_url: 'documentationUrl',
  icon_url: 'iconUrl',
};

/**
 * A flat registration of the registry that the setup guide is about, as a card with the registry's members: its names in snake
 * case, its comma-separated tags, and its defaults for what a card must have. What it derives is left out.
 */
function fromRegistration(body: Readonly<Members>): Members {
  const named = Object.fromEntries(
    Object.entries(body)
      .filter(([name, value]) => value !== null && !derivedMembers.has(name))
      .map(([name, value]) => [Object.hasOwn(otherNames, name) ? otherNames[name] : name, value]),
  ) as Members;
  if (typeof body.isEnabled === 'boolean') named.is_enabled ??= body.isEnabled;
  const {
    supportedProtocol = 'a2a',
    visibility = 'public',
    allowed_groups = [],
    streaming,
    tags = [],
    ...card
  } = named;
  refuseUnkept({ supportedProtocol, visibility, allowed_groups });
  const capabilities = isObject(card.capabilities) ? card.capabilities : {};
  return {
    description: '',
    version: '1.0.0',
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
    ...reached(card),
    capabilities: streaming === undefined ? capabilities : { ...capabilities, streaming },
    tags:
      typeof tags === 'string'
        ? tags
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean)
        : tags,
  };
}

/** Settings that would be dropped in silence, and with them a protection that their writer relies on. */
function refuseUnkept({ supportedProtocol, visibility, allowed_groups }: Members): void {
  const faults: Fault[] = [];
  const scopes = 'scopes say who sees an agent: grant list_agents for its path to those who may';
  if (supportedProtocol !== 'a2a')
    faults.push({ at: 'body.supportedProtocol', message: 'must be a2a: there are only A2A agents here' });
  if (visibility !== 'public')
    faults.push({ at: 'body.visibility', message: `must be public or absent; ${scopes}` });
  if (!Array.isArray(allowed_groups) || allowed_groups.length > 0)
    faults.push({ at: 'body.allowed_groups', message: `must be empty or absent; ${scopes}` });
  if (faults.length > 0) throw invalidInput(faults);
}

/** Version 1.0 says in interfaces what 0.3 says in `url`; a registration says it in `url` for either. */
function reached(card: Members): Members {
  if ('supportedInterfaces' in card) return card;
  const { protocolVersion = '0.3.0', url, preferredTransport: protocolBinding = 'JSONRPC', ...rest } = card;
  if (typeof protocolVersion !== 'string' || !/^1(\.|$)/.test(protocolVersion))
    return { protocolVersion, ...card };
  return { ...rest, supportedInterfaces: [{ url, protocolBinding, protocolVersion }] };
}
