/** What a caller asks of a server: an MCP method and the tool, prompt or resource that it is about. */
export interface Call {
  /** The server's name: its path without the leading slash. */
  readonly server: string;
  readonly method: string;
  readonly tool?: string | undefined;
  /** The name of the prompt. */
  readonly prompt?: string | undefined;
  /** The URI of the resource, or the URI template of several. */
  readonly resource?: string | undefined;
}

/** Who asks, as far as access is concerned. */
export interface Subject {
  /** Whose it is besides, for what is granted to one person: the identity provider and its stable id; absent where only groups are asked about. */
  readonly provider?: string | undefined;
  readonly subject?: string | undefined;
  /** Groups as the identity provider names them; for Entra, Object IDs. */
  readonly groups: readonly string[];
  /** Scopes beyond which this credential may not go (personal tokens); absent: no such limit. */
  readonly limitedTo?: readonly string[] | undefined;
  /** What scopes may call the program that asks: its client id and, where it has one, its alias. */
  readonly clientNames?: readonly string[] | undefined;
  /** The program was allowed tools that read and no others; tells of a server's tool whether it does. Absent: no such limit. */
  readonly onlyReading?: ((server: string, tool: string) => boolean) | undefined;
}

/** The answer: allowed, and by which scope; or refused, and why. */
export type Decision =
  | { readonly allow: true; readonly scope: string }
  | { readonly allow: false; readonly reason: RefusalReason };

/** The first thing that no rule covers. */
export type RefusalReason =
  | 'no-scopes'
  | 'server'
  | 'method'
  | 'tool'
  | 'prompt'
  | 'resource'
  | 'client-scope';
