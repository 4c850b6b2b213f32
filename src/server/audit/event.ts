/** The reason of what is refused to somebody who was refused too often: such events are counted. */
export const refusedTooOften = 'refused_too_often';

/** One thing that happened. Never holds credentials, bodies or tool arguments. */
export interface AuditEvent {
  readonly kind: 'mcp' | 'api' | 'sign-in' | 'token' | 'change';
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly correlationId: string;
  readonly who: AuditIdentity | null;
  readonly clientIp: string | null;
  /** The MCP method, or the endpoint's id. */
  readonly action: string;
  /** The server's name, a path or an id. */
  readonly resource: string | null;
  readonly tool?: string | undefined;
  readonly decision: 'allow' | 'deny' | 'error';
  readonly reason?: string | undefined;
  /** The HTTP status that the caller got; 0 when the caller left before there was one. */
  readonly status: number;
  readonly durationMs: number;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
  /** Where this stands for several refusals of callers that nobody knows: how many, and when the last was; `at` is the first. */
  readonly repeated?: { readonly count: number; readonly lastAt: string } | undefined;
}

/** The part of an identity that is recorded. */
export interface AuditIdentity {
  readonly provider: string;
  readonly subject: string;
  readonly username: string;
  readonly clientId: string | null;
  readonly method: string;
  /** The row key of the personal token or browser session; never the credential itself. */
  readonly credentialId?: string | null | undefined;
}

/** An identity of which a part is recorded, with the clients that act for it (RFC 8693). */
export interface Recordable extends AuditIdentity {
  readonly actors?: readonly string[] | undefined;
}

const recorded = new WeakMap<Recordable, AuditIdentity>();

/**
 * The part of an identity that is recorded; whatever else it knows stays out. Where a client acts for a person, both are
 * there: the person, and the client with the method `token-exchange`. The same object for the same identity.
 */
export function auditIdentity(identity: Recordable): AuditIdentity {
  const known = recorded.get(identity);
  if (known) return known;
  const { provider, subject, username, clientId, credentialId, actors } = identity;
  const method = actors && actors.length > 0 ? 'token-exchange' : identity.method;
  const part = { provider, subject, username, clientId, method, credentialId };
  recorded.set(identity, part);
  return part;
}

/** Where events go. */
export interface Sink {
  readonly name: string;
  /** Events are gathered for so long (milliseconds), or until there are so many; written soon unless given. */
  readonly gather?: { readonly ms: number; readonly atMost: number };
  /** Writes a batch, in order; a rejected promise means that none was written and the batch is offered again. */
  write(events: readonly AuditEvent[]): Promise<void>;
  /** Lets go of what the sink holds open, after the last batch. */
  close?(): Promise<void>;
}

/** The trail as the rest of the house sees it: note an event at once, without waiting. */
export interface Trail {
  record(event: AuditEvent): void;
  /** Writes out what is held; answers when it is on disk. */
  flush(): Promise<void>;
}
