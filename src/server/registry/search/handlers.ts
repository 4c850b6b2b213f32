import { type AgentInfo, agentInfo } from '../../../contract/agents/agents.ts';
import type { Handlers, Output } from '../../../contract/endpoint.ts';
import type { FoundThing, SemanticResults, searchEndpoints } from '../../../contract/search.ts';
import { nameOfPath, type ServerInput } from '../../../contract/servers/servers.ts';
import { isObject } from '../../../contract/values/json.ts';
import type { Caller } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import { invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Finder } from '../../search/finder.ts';
import type { Kind } from '../../search/item.ts';
import type { Hit, Options, Results } from '../../search/search.ts';
import { excerptOf, placesOf } from '../../search/words.ts';
import { presentInList } from '../agents/present.ts';
import { find, type ListedAgent, listAgents } from '../agents/store.ts';
import { type BundleWorld, bundleOf } from '../virtual-servers/shown.ts';

/** The parts of `metadata` that dotted paths name, in their places; all of it without paths. */
function project(
  metadata: Readonly<Record<string, unknown>>,
  paths: readonly string[] | undefined,
): Record<string, unknown> {
  if (!paths) return { ...metadata };
  const kept: Record<string, unknown> = Object.create(null);
  for (const path of paths) {
    const parts = path.split('.');
    let from: unknown = metadata;
    for (const part of parts) from = isObject(from) && Object.hasOwn(from, part) ? from[part] : undefined;
    if (from === undefined) continue;
    let to = kept;
    for (const part of parts.slice(0, -1)) {
      const next = isObject(to[part]) ? to[part] : Object.create(null);
      to[part] = next;
      to = next as Record<string, unknown>;
    }
    to[parts.at(-1) ?? ''] = from;
  }
  return kept;
}

/** What the endpoints of the search work with. */
export interface SearchWorld {
  readonly db: Db;
  readonly finder: Finder<Identity>;
  /** The gateway's own URL as clients know it. */
  readonly publicUrl: string;
  readonly virtualServers: BundleWorld;
}

type Who = Caller<Identity>;
type Table = typeof searchEndpoints;

/** The functions behind the endpoints of the search. The search itself knows what the caller may find. */
export function searchHandlers(world: SearchWorld): Handlers<Table, Who> {
  const search = (caller: Who, query: string, options: Options): Promise<Results> => {
    caller.note({ query });
    return world.finder.search(caller.identity, query, options);
  };
  return {
    async 'search.find'({ query }, caller) {
      const { q, kinds, limit, offset } = query;
      const includeDisabled = query.include_disabled === 'true';
      const { hits, terms } = await search(caller, q, { ...(kinds ? { kinds } : {}), includeDisabled });
      const results = hits.slice(offset, offset + limit).map((hit) => forPeople(hit, terms));
      const has_next = offset + limit < hits.length;
      return { query: q, results, total_count: hits.length, limit, offset, has_next };
    },
    'search.semantic': async ({ body }, caller) => {
      const tagged = [...body.query.matchAll(/(?:^|\s)#([\p{L}\p{N}_-]+)/gu)].map(([, tag = '']) => tag);
      const query = body.query.replace(/(^|\s)#[\p{L}\p{N}_-]+/gu, '$1').trim();
      const tags = [...(body.tags ?? []), ...tagged].map((tag) => tag.toLowerCase());
      if (query === '' && tags.length === 0)
        throw invalidInput([{ at: 'body.query', message: 'must not be empty unless tags are given' }], {
          said: 'Give a query, or tags to filter by.',
        });
      const options = { kinds: kindsOf(body.entity_types), tags, includeDisabled: body.include_disabled };
      const found = await search(caller, query, options);
      const fields = body.metadata_fields ?? undefined;
      return grouped(world, found, { caller, query: body.query, most: body.max_results, fields, ...options });
    },
    async 'search.agentsBySkill'({ query, body }, caller) {
      const tags = body.tags ?? [];
      const agents = (await listAgents(world.db))
        .filter(({ path, isEnabled }) => isEnabled && caller.access.may('list_agents', nameOfPath(path)))
        .map((row) => ({ ...bySkill(row, body.skills, tags), ...presentInList(row, caller.access) }))
        .filter(({ matched_skills }) => matched_skills.length > 0)
        .sort((a, b) => b.relevance_score - a.relevance_score || (a.path < b.path ? -1 : 1));
      return { agents: agents.slice(0, query.max_results), query: { skills: body.skills, tags } };
    },
    async 'search.agentsByMeaning'({ query }, caller) {
      const { hits } = await search(caller, query.query, { kinds: ['agent'] });
      const agents = await agentsOf(world.db, hits.slice(0, query.max_results), caller);
      return {
        agents: agents.map(({ info, hit }) => ({ ...info, relevance_score: hit.score })),
        query: query.query,
      };
    },
  };
}

const kindOf = {
  mcp_server: 'server',
  tool: 'tool',
  a2a_agent: 'agent',
  virtual_server: 'virtual_server',
} as const;

/** Servers come with their tools, so that tools are looked for with them. */
function kindsOf(types: readonly string[] | null | undefined): Kind[] {
  const wanted = types ?? Object.keys(kindOf);
  return Object.entries(kindOf).flatMap(([type, kind]) => (wanted.includes(type) ? [kind] : []));
}

function forPeople({ item, score }: Hit, terms: ReadonlySet<string>): FoundThing {
  const description = item.description.slice(0, 300);
  return {
    ...{ kind: item.kind, path: item.path, name: item.name, title: item.title, description, score },
    tags: [...item.tags],
    server_name: item.kind === 'tool' ? item.owner : null,
    is_enabled: item.enabled,
    highlights: { name: placesOf(item.name, terms), description: placesOf(description, terms) },
  };
}

interface Grouping {
  readonly caller: Who;
  readonly query: string;
  readonly most: number;
  readonly fields: readonly string[] | undefined;
  readonly kinds: readonly Kind[];
  readonly includeDisabled: boolean;
}

async function grouped(
  { db, finder, publicUrl, virtualServers }: SearchWorld,
  { hits, terms }: Results,
  { caller, query, most, fields, kinds, includeDisabled }: Grouping,
): Promise<SemanticResults> {
  const of = (kind: Kind): Hit[] => hits.filter(({ item }) => item.kind === kind).slice(0, most);
  const rankedOf = ({ item, score, similarity }: Hit) => ({
    relevance_score: score,
    similarity_score: similarity,
    match_context: excerptOf(item.description || item.name, terms),
  });
  const [servers, tools] = [of('server'), of('tool')];
  const saidOf = await definitionsOf(db, [...new Set([...servers, ...tools].map(({ item }) => item.path))]);
  const endpointOf = (path: string): string => {
    const only = saidOf.get(path)?.supported_transports.includes('streamable-http') === false ? 'sse' : 'mcp';
    return `${publicUrl}${path}/${only}`;
  };
  const toolOf = (hit: Hit) => {
    const { item } = hit;
    const { inputSchema = {} } = JSON.parse(item.definition ?? '{}') as {
      inputSchema?: Record<string, unknown>;
    };
    return { tool_name: item.name, description: item.description, inputSchema, ...rankedOf(hit) };
  };
  const agents = await agentsOf(db, of('agent'), caller);
  const counted = (path: string): number => finder.toolsOf(caller.identity, path, includeDisabled).length;
  const shownServers = servers.map((hit) => {
    const { item } = hit;
    const said = saidOf.get(item.path);
    const matching = kinds.includes('tool') ? hits.filter((one) => isToolOf(one, item.path)).slice(0, 5) : [];
    return {
      ...{ path: item.path, server_name: item.name, description: item.description, tags: [...item.tags] },
      ...{ num_tools: counted(item.path), is_enabled: item.enabled, ...rankedOf(hit) },
      matching_tools: matching.map(toolOf),
      endpoint_url: endpointOf(item.path),
      supported_transports: [...(said?.supported_transports ?? [])],
      metadata: project(said?.metadata ?? {}, fields),
    };
  });
  const shownTools = tools.map((hit) => ({
    ...{ server_path: hit.item.path, server_name: hit.item.owner, ...toolOf(hit) },
    endpoint_url: endpointOf(hit.item.path),
  }));
  const shownBundles = of('virtual_server').flatMap((hit) => {
    const { path, name, description, tags, enabled } = hit.item;
    const bundle = bundleOf(virtualServers, path, caller);
    // Removed meanwhile.
    if (!bundle) return [];
    const matching = bundle.tools.flatMap(({ server, original, name: tool_name }) =>
      hits
        .filter((one) => isToolOf(one, `/${server}`) && one.item.name === original)
        .map((one) => ({ ...toolOf(one), tool_name })),
    );
    return {
      ...{ path, server_name: name, description, tags: [...tags], is_enabled: enabled, ...rankedOf(hit) },
      ...{ num_tools: bundle.tools.length, backend_count: bundle.backend_count },
      ...{ backend_paths: bundle.backend_paths, matching_tools: matching.slice(0, 5) },
      endpoint_url: `${publicUrl}${path}/mcp`,
    };
  });
  const shownAgents = agents.map(({ info, hit }) => {
    return { path: info.path, ...rankedOf(hit), agent_card: { ...info }, trust_verified: false };
  });
  return {
    ...{ query, search_mode: 'hybrid', servers: shownServers, tools: shownTools, agents: shownAgents },
    ...{ skills: [], virtual_servers: shownBundles, custom: [] },
    ...{
      total_servers: shownServers.length,
      total_tools: shownTools.length,
      total_agents: shownAgents.length,
    },
    ...{ total_skills: 0, total_virtual_servers: shownBundles.length, total_custom: 0 },
  };
}

function isToolOf({ item }: Hit, path: string): boolean {
  return item.kind === 'tool' && item.path === path;
}

async function definitionsOf(db: Db, paths: readonly string[]): Promise<Map<string, ServerInput>> {
  if (paths.length === 0) return new Map();
  const rows = await db
    .selectFrom('servers')
    .select(['path', 'definition'])
    .where('path', 'in', paths)
    .execute();
  return new Map(rows.map(({ path, definition }) => [path, JSON.parse(definition) as ServerInput]));
}

/** The agents that were found, as lists show them; one that has been removed meanwhile is left out. */
async function agentsOf(
  db: Db,
  hits: readonly Hit[],
  { access }: Who,
): Promise<{ info: AgentInfo; hit: Hit }[]> {
  const rows = await Promise.all(hits.map(({ item }) => find(db, item.path)));
  return hits.flatMap((hit, at) => {
    const row = rows[at];
    return row ? [{ info: agentInfo.parse(presentInList(row, access)), hit }] : [];
  });
}

/** How much of what was asked for an agent has, three parts skills and one part tags; only skills when no tags are asked for. */
function bySkill(
  { summary, notes }: ListedAgent,
  skills: readonly string[],
  tags: readonly string[],
): Pick<Output<Table['search.agentsBySkill']>['agents'][number], 'relevance_score' | 'matched_skills'> {
  const has = (own: readonly string[]) => {
    const known = new Set(own.map(plain));
    return (wanted: string): boolean => known.has(plain(wanted));
  };
  const matched_skills = skills.filter(has(summary.skills));
  const bySkills = matched_skills.length / skills.length;
  if (tags.length === 0) return { matched_skills, relevance_score: bySkills };
  const byTags = tags.filter(has(notes.tags)).length / tags.length;
  return { matched_skills, relevance_score: 0.75 * bySkills + 0.25 * byTags };
}

/** A skill for comparison: `Book a flight`, `book-a-flight` and `book_a_flight` are one. */
function plain(skill: string): string {
  return skill.toLowerCase().replace(/[\s_-]/g, '');
}
