import { z } from 'zod';
import { agentInfo } from './agents/agents.ts';
import type { Endpoints } from './endpoint.ts';
import { queryFlag } from './values/flags.ts';

/** The most characters of a query. */
export const longestQuery = 500;

/** The kinds of thing that a search finds. */
const foundKinds = ['server', 'tool', 'agent', 'virtual_server'] as const;

/** What upstream's API calls the kinds; skills are known and never found yet. */
const entityTypes = ['mcp_server', 'tool', 'a2a_agent', 'skill', 'virtual_server'] as const;

const score = z.number().min(0).max(1);

/** A place in a text, as the numbers of its first character and of the one behind its last. */
const range = z.tuple([z.number().int(), z.number().int()]);

/** A thing that was found, for people. */
export const foundThing = z.object({
  kind: z.enum(foundKinds),
  /** The path of the server or agent; for a tool that of its server. */
  path: z.string(),
  name: z.string(),
  title: z.string().nullable(),
  /** The beginning of the description, at most 300 characters. */
  description: z.string(),
  tags: z.array(z.string()),
  /** For a tool the name of its server. */
  server_name: z.string().nullable(),
  is_enabled: z.boolean(),
  /** How well it fits, 0 to 1; above 0.9 when the query is its name. */
  score,
  /** Where words of the query stand. */
  highlights: z.object({ name: z.array(range), description: z.array(range) }),
});

/** A thing that was found, for people. */
export type FoundThing = z.infer<typeof foundThing>;

const ranked = {
  /** How well it fits, 0 to 1; comparable over everything in one response. */
  relevance_score: score,
  /** The cosine of query and thing, 0 to 1; comparable from one query to another. */
  similarity_score: score,
  /** The part of its texts that fits. */
  match_context: z.string(),
};

const schemaOfTool = z.record(z.string(), z.unknown());

/** A tool of a server that was found. */
const matchingTool = z.object({
  tool_name: z.string(),
  description: z.string(),
  ...ranked,
  inputSchema: schemaOfTool,
});

const projected = z.record(z.string(), z.unknown());

/** What `POST /api/search/semantic` finds. */
export const semanticResults = z.object({
  query: z.string(),
  search_mode: z.enum(['hybrid', 'lexical-only']),
  servers: z.array(
    z.object({
      path: z.string(),
      server_name: z.string(),
      description: z.string(),
      tags: z.array(z.string()),
      /** How many of its tools the caller may call. */
      num_tools: z.number().int(),
      is_enabled: z.boolean(),
      ...ranked,
      matching_tools: z.array(matchingTool),
      /** Where clients connect. */
      endpoint_url: z.string(),
      supported_transports: z.array(z.string()),
      metadata: projected,
    }),
  ),
  tools: z.array(
    z.object({
      server_path: z.string(),
      server_name: z.string(),
      tool_name: z.string(),
      description: z.string(),
      inputSchema: schemaOfTool,
      ...ranked,
      endpoint_url: z.string(),
    }),
  ),
  agents: z.array(
    z.object({ path: z.string(), ...ranked, agent_card: projected, trust_verified: z.boolean() }),
  ),
  skills: z.array(projected),
  virtual_servers: z.array(
    z.object({
      path: z.string(),
      server_name: z.string(),
      description: z.string(),
      tags: z.array(z.string()),
      /** How many tools the caller may call through it now. */
      num_tools: z.number().int(),
      backend_count: z.number().int(),
      /** Those of its servers that the caller may see. */
      backend_paths: z.array(z.string()),
      is_enabled: z.boolean(),
      ...ranked,
      /** Those of its tools that fit, by their names there. */
      matching_tools: z.array(matchingTool),
      endpoint_url: z.string(),
    }),
  ),
  custom: z.array(projected),
  total_servers: z.number().int(),
  total_tools: z.number().int(),
  total_agents: z.number().int(),
  total_skills: z.number().int(),
  total_virtual_servers: z.number().int(),
  total_custom: z.number().int(),
});

/** What `POST /api/search/semantic` finds. */
export type SemanticResults = z.infer<typeof semanticResults>;

const metadataPath = z
  .string()
  .trim()
  .min(1)
  .refine((path) => path.split('.').length <= 5, 'a path has at most 5 parts')
  .refine((path) => path.split('.').every((part) => part.length >= 1 && part.length <= 64), {
    error: 'a part of a path has 1 to 64 characters',
  });

/** Dotted paths into metadata: a list, or one text with commas. */
const metadataFields = z
  .union([
    z
      .string()
      .max(7000)
      .transform((text) => text.split(',')),
    z.array(z.string()),
  ])
  .pipe(z.array(metadataPath).max(20));

const found = { max_results: z.coerce.number().int().min(1).max(100).default(10) };
const foundAgent = agentInfo.extend({ relevance_score: score });
const query = z.string().trim().min(1).max(longestQuery);

/** The endpoints that find things. Each shows what the caller may see and call, as if nothing else were there. */
export const searchEndpoints = {
  'search.find': {
    cost: 'heavy',
    method: 'GET',
    path: '/api/search',
    permission: 'identity',
    summary: 'Search servers, tools and agents for people: the best first, with the places that fit',
    query: z.object({
      q: query,
      /** Kinds with commas between: `server,tool`; all unless given. */
      kinds: z
        .string()
        .transform((text) => text.split(',').map((kind) => kind.trim()))
        .pipe(z.array(z.enum(foundKinds)).min(1))
        .optional(),
      include_disabled: queryFlag.default('false'),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      offset: z.coerce.number().int().min(0).max(500).default(0),
    }),
    output: z.object({
      query: z.string(),
      results: z.array(foundThing),
      /** How many were found; 500 at most. */
      total_count: z.number().int(),
      limit: z.number().int(),
      offset: z.number().int(),
      has_next: z.boolean(),
    }),
  },
  'search.semantic': {
    cost: 'heavy',
    method: 'POST',
    reads: true,
    path: '/api/search/semantic',
    permission: 'identity',
    summary: 'Search servers, tools and agents by words and meaning, grouped by kind',
    body: z.strictObject({
      /** May be empty with `tags`; a word such as `#billing` in it is a tag. */
      query: z.string().max(longestQuery).default(''),
      /** All unless given. */
      entity_types: z.array(z.enum(entityTypes)).min(1).nullish(),
      /** Only what has every one of them. */
      tags: z.array(z.string().trim().min(1).max(64)).max(20).nullish(),
      /** Of each kind. */
      max_results: z.number().int().min(1).max(50).default(10),
      include_disabled: z.boolean().default(false),
      /** Taken and without effect: nothing here has a life cycle. */
      include_draft: z.boolean().default(false),
      /** Taken and without effect: nothing here has a life cycle. */
      include_deprecated: z.boolean().default(false),
      metadata_fields: metadataFields.nullish(),
    }),
    output: semanticResults,
  },
  'search.agentsBySkill': {
    cost: 'heavy',
    method: 'POST',
    path: '/api/agents/discover',
    permission: 'identity',
    summary: 'Find agents by the skills that they must have',
    query: z.object(found),
    body: z.strictObject({
      skills: z.array(z.string().trim().min(1).max(200)).min(1).max(50),
      tags: z.array(z.string().trim().min(1).max(64)).max(20).nullish(),
    }),
    output: z.object({
      agents: z.array(foundAgent.extend({ matched_skills: z.array(z.string()) })),
      query: z.object({ skills: z.array(z.string()), tags: z.array(z.string()) }),
    }),
  },
  'search.agentsByMeaning': {
    cost: 'heavy',
    method: 'POST',
    path: '/api/agents/discover/semantic',
    permission: 'identity',
    summary: 'Find agents by words and meaning',
    query: z.object({ ...found, query }),
    output: z.object({ agents: z.array(foundAgent), query: z.string() }),
  },
} as const satisfies Endpoints;
