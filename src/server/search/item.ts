import type { Selectable } from 'kysely';
import { nameOfPath, type ServerInput, type Tool } from '../../contract/servers/servers.ts';
import type { VirtualServerDefinition } from '../../contract/servers/virtual-servers.ts';
import type { AgentsTable, ServersTable, VirtualServersTable } from '../db/tables.ts';
import { splitCamelCase } from './words.ts';

/** The kinds of thing that can be found. */
export const kinds = ['server', 'tool', 'agent', 'virtual_server'] as const;

/** One of the kinds of thing that can be found. */
export type Kind = (typeof kinds)[number];

/** A thing that can be found, with the texts that it is found by. */
export interface Item {
  readonly kind: Kind;
  /** Unique: the path, and for a tool its name behind a `#`. */
  readonly id: string;
  /** With its leading slash; for a tool that of its server. */
  readonly path: string;
  /** As people call it; for a tool the name that calls use. */
  readonly name: string;
  readonly title: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  /** What it belongs to: the name of a tool's server, the organization behind an agent. */
  readonly owner: string;
  readonly enabled: boolean;
  /** Further words that it is found by, which count least: properties of a tool, skills of an agent. */
  readonly more: string;
  /** As JSON, parsed only for what is shown: the definition of a tool; transports and version of a server. */
  readonly definition: string | null;
}

/** A server and the tools that were last seen of it. */
export function itemsOfServer(
  row: Pick<Selectable<ServersTable>, 'path' | 'definition' | 'is_enabled' | 'tools'>,
): Item[] {
  const said = JSON.parse(row.definition) as ServerInput;
  const tools = row.tools === null ? [] : (JSON.parse(row.tools) as { tools: readonly Tool[] }).tools;
  const shared = { path: row.path, enabled: row.is_enabled === 1 };
  return [
    {
      ...{ kind: 'server', id: row.path, ...shared, name: said.server_name, title: null, owner: '' },
      ...{ description: said.description, tags: said.tags },
      definition: JSON.stringify({ supported_transports: said.supported_transports, version: said.version }),
      more: splitCamelCase(nameOfPath(row.path)),
    },
    ...tools.map((tool): Item => {
      return {
        ...{ kind: 'tool', id: `${row.path}#${tool.name}`, ...shared, name: tool.name, tags: said.tags },
        title: tool.title ?? null,
        description: tool.description ?? '',
        owner: said.server_name,
        more: wordsOfSchema(tool.inputSchema),
        definition: JSON.stringify(tool),
      };
    }),
  ];
}

/** A shared virtual server. Which tools it shows differs from caller to caller, so that they are no part of it. */
export function itemOfVirtualServer(
  row: Pick<Selectable<VirtualServersTable>, 'path' | 'definition' | 'is_enabled'>,
): Item {
  const said = JSON.parse(row.definition) as VirtualServerDefinition;
  return {
    ...{ kind: 'virtual_server', id: row.path, path: row.path, name: said.server_name, title: null },
    ...{ description: said.description, tags: said.tags, owner: '', enabled: row.is_enabled === 1 },
    ...{ more: splitCamelCase(nameOfPath(row.path)), definition: null },
  };
}

interface Extract {
  readonly notes: { readonly tags: readonly string[] };
}
interface Card {
  readonly name?: string;
  readonly description?: string;
  readonly provider?: { readonly organization?: string };
  readonly skills?: readonly { name?: string; description?: string; tags?: readonly string[] }[];
}

/** A registered agent. */
export function itemOfAgent(
  row: Pick<Selectable<AgentsTable>, 'path' | 'definition' | 'card' | 'is_enabled'>,
): Item {
  const { notes } = JSON.parse(row.definition) as Extract;
  const card = JSON.parse(row.card) as Card;
  const skills = card.skills ?? [];
  return {
    ...{ kind: 'agent', id: row.path, path: row.path, name: card.name ?? row.path, title: null },
    description: card.description ?? '',
    tags: [...notes.tags, ...skills.flatMap((skill) => [skill.name ?? '', ...(skill.tags ?? [])])],
    owner: card.provider?.organization ?? '',
    enabled: row.is_enabled === 1,
    more: skills.map((skill) => skill.description ?? '').join('. '),
    definition: null,
  };
}

/** The words in a tool's input schema that tell what it works on: names of properties and what is said of them. */
function wordsOfSchema(schema: Record<string, unknown> | undefined): string {
  const properties = schema?.properties;
  if (typeof properties !== 'object' || properties === null) return '';
  const words: string[] = [];
  for (const [name, value] of Object.entries(properties).slice(0, 40)) {
    words.push(name);
    const said = (value as { description?: unknown } | null)?.description;
    if (typeof said === 'string') words.push(said.slice(0, 120));
  }
  return words.join(' ');
}

const sections =
  /^[\s#*<]{0,20}(?:args?|arguments|parameters|params|returns?|raises|examples?|usage notes?|notes?|input|output)\b/i;

/** The part of a description that says what the thing does: without headings, and before its arguments and examples. */
export function headOf(description: string): string {
  const kept: string[] = [];
  let size = 0;
  for (const line of description.slice(0, 4000).split('\n')) {
    if (size > 0 && sections.test(line)) break;
    if (line.startsWith('#')) continue;
    kept.push(line);
    size += line.trim().length;
    if (size >= 600) break;
  }
  const head = size > 0 ? kept.join('\n') : description;
  return head
    .replace(/[`*<>]/g, ' ')
    .slice(0, 600)
    .trim();
}
