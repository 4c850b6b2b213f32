/** What a caller asks of a server: an MCP method and, for `tools/call`, the tool. */
export interface Call {
  /** The server's name: its path without the leading slash. */
  readonly server: string;
  readonly method: string;
  readonly tool?: string | undefined;
}

/** Who asks, as far as access is concerned. */
export interface Subject {
  /** Groups as the identity provider names them; for Entra, Object IDs. */
  readonly groups: readonly string[];
  /** Scopes beyond which this credential may not go (personal tokens); absent: no such limit. */
  readonly limitedTo?: readonly string[] | undefined;
}

/** The answer: allowed, and by which scope; or refused, and why. */
export type Decision =
  | { readonly allow: true; readonly scope: string }
  | { readonly allow: false; readonly reason: 'no-scopes' | 'server' | 'method' | 'tool' };
