import { queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import { isPersonalPath, slugOf, type virtualServerInput } from '../../contract/servers/virtual-servers.ts';
import { ApiError, api } from '../api.ts';

/** A virtual server as the API has it. */
export type Virtual = Awaited<ReturnType<typeof api<'virtualServers.get'>>>;

/** A virtual server as the API takes it. */
export type VirtualInput = z.input<typeof virtualServerInput>;

/** One tool that was picked, and what is different about it here. */
export interface ToolDraft {
  readonly tool: string;
  /** The name that clients see; empty: its own. */
  readonly alias: string;
  /** What clients read; empty: its own. */
  readonly description: string;
  readonly scopes: readonly string[];
}

/** What is taken of one server: all it has, now and later, or single tools. */
export interface SourceDraft {
  readonly path: string;
  readonly whole: boolean;
  /** Before the names of a whole server; null: the server's name. */
  readonly prefix: string | null;
  readonly include: readonly ('tools' | 'prompts' | 'resources')[];
  /** The only version that may be used; null: any. */
  readonly version: string | null;
  readonly tools: readonly ToolDraft[];
}

/** A virtual server while it is filled in. */
export interface VirtualDraft {
  readonly name: string;
  /** The last part of its path. */
  readonly slug: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** For everybody whose scopes name it, not for its owner alone. */
  readonly shared: boolean;
  readonly separator: string;
  readonly sources: readonly SourceDraft[];
  readonly scopes: readonly string[];
  /** What else is asked for tools of whole servers, as it was. */
  readonly otherOverrides: Virtual['tool_scope_overrides'];
}

/** Something that is wrong, with its place in the definition: `members.0.prefix`. */
export type VirtualFaults = readonly { readonly at: string; readonly message: string }[];

/** A whole server as it is first added. */
export function wholeOf(path: string): SourceDraft {
  return {
    ...{ path, whole: true, prefix: null, version: null, tools: [] },
    include: ['tools', 'prompts', 'resources'],
  };
}

/** The form of a virtual server that nobody has said anything about. */
export function emptyDraft(shared: boolean): VirtualDraft {
  return {
    ...{ name: '', slug: '', description: '', tags: [], shared, separator: '__' },
    ...{ sources: [], scopes: [], otherOverrides: [] },
  };
}

/** The form of a virtual server that is there. */
export function draftOf(virtual: Virtual): VirtualDraft {
  const overrides = new Map(virtual.tool_scope_overrides.map((one) => [one.tool_alias, one.required_scopes]));
  const sources: SourceDraft[] = [];
  for (const { backend_server_path: path, backend_version: version, ...mapping } of virtual.tool_mappings) {
    const name = mapping.alias ?? mapping.tool_name;
    const tool: ToolDraft = {
      tool: mapping.tool_name,
      alias: mapping.alias ?? '',
      description: mapping.description_override ?? '',
      scopes: overrides.get(name) ?? [],
    };
    overrides.delete(name);
    const last = sources.at(-1);
    // Of tools that follow each other, so that their order stays.
    if (last && last.path === path && last.version === version)
      sources[sources.length - 1] = { ...last, tools: [...last.tools, tool] };
    else sources.push({ ...wholeOf(path), whole: false, version, tools: [tool] });
  }
  for (const { backend_server_path, backend_version, prefix, include } of virtual.members)
    sources.push({ ...wholeOf(backend_server_path), version: backend_version, prefix, include });
  return {
    name: virtual.server_name,
    slug: virtual.path.replace(/^\/virtual\/(?:me\/)?/, ''),
    description: virtual.description,
    tags: virtual.tags,
    shared: !isPersonalPath(virtual.path),
    separator: virtual.separator,
    sources,
    scopes: virtual.required_scopes,
    otherOverrides: [...overrides].map(([tool_alias, required_scopes]) => ({ tool_alias, required_scopes })),
  };
}

/** What the API is sent: everything, so that what was taken out is gone. */
export function inputOf(draft: VirtualDraft): VirtualInput {
  const single = draft.sources.filter(({ whole }) => !whole);
  const picked = single.flatMap(({ tools }) => tools);
  return {
    server_name: draft.name.trim(),
    path: `/virtual/${draft.shared ? '' : 'me/'}${draft.slug || slugOf(draft.name)}`,
    description: draft.description.trim(),
    tags: [...draft.tags],
    separator: draft.separator,
    tool_mappings: single.flatMap(({ path, version, tools }) =>
      tools.map(({ tool, alias, description }) => ({
        tool_name: tool,
        alias: alias.trim() || null,
        backend_server_path: path,
        backend_version: version,
        description_override: description.trim() || null,
      })),
    ),
    members: draft.sources
      .filter(({ whole }) => whole)
      .map(({ path, prefix, version, include }) => ({
        ...{ backend_server_path: path, prefix, backend_version: version, include: [...include] },
      })),
    required_scopes: [...draft.scopes],
    tool_scope_overrides: [
      ...picked
        .filter(({ scopes }) => scopes.length > 0)
        .map(({ tool, alias, scopes }) => ({
          ...{ tool_alias: alias.trim() || tool, required_scopes: [...scopes] },
        })),
      ...draft.otherOverrides,
    ],
  };
}

/** The place of a source in the definition: `members.0`, or for single tools that of each, `tool_mappings.2`. */
export function placesOf(draft: VirtualDraft): { own: string | undefined; tools: readonly string[] }[] {
  let [members, tools] = [0, 0];
  return draft.sources.map((source) =>
    source.whole
      ? { own: `members.${members++}`, tools: [] }
      : { own: undefined, tools: source.tools.map(() => `tool_mappings.${tools++}`) },
  );
}

/** The faults of a definition as the API named them. */
export function faultsIn(error: unknown): VirtualFaults {
  const told = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  return told.map(({ at, message }) => ({ at: at.replace(/^body\./, ''), message }));
}

/** What is wrong at a place or below it; undefined when nothing is. */
export function faultAt(
  faults: VirtualFaults,
  ...places: readonly (string | undefined)[]
): string | undefined {
  const found = faults.filter(({ at }) => places.some((place) => at === place || at.startsWith(`${place}.`)));
  return found.length === 0 ? undefined : [...new Set(found.map(({ message }) => message))].join('\n');
}

/** The steps of the form, in order. */
export const steps = ['what', 'tools', 'who', 'check'] as const;

/** One of the steps. */
export type Step = (typeof steps)[number];

/** The step that has the first of the faults. */
export function stepOf(faults: VirtualFaults): Step {
  const at = faults[0]?.at ?? '';
  if (/^(?:server_name|path|description|tags)\b/.test(at)) return 'what';
  if (/^(?:required_scopes)\b/.test(at)) return 'who';
  return /^(?:tool_mappings|members|separator|tool_scope_overrides)\b/.test(at) ? 'tools' : 'check';
}

/** The first part of the key of every list of virtual servers. */
export const virtualServersKey = 'virtual-servers';

/** The virtual servers that are shared with the caller, and their own. */
export const virtualServersQuery = queryOptions({
  queryKey: [virtualServersKey],
  queryFn: ({ signal }) => api('virtualServers.list', { query: { limit: 2000 }, signal }),
});
