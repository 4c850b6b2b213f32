import type { Tool } from '../api.ts';

/** What a tool does, as its server says in the annotations (MCP `ToolAnnotations`): a hint, never a guarantee. */
export type ToolKind = 'read-only' | 'destructive' | 'other';

/** The kind of a tool. A server that says nothing leaves it open: the default of the specification is a guess too. */
export function kindOfTool(tool: Tool): ToolKind {
  const { annotations } = tool as { annotations?: { readOnlyHint?: unknown; destructiveHint?: unknown } };
  if (annotations?.readOnlyHint === true) return 'read-only';
  return annotations?.destructiveHint === true ? 'destructive' : 'other';
}
