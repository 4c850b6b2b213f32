import type { HttpBindings } from '@hono/node-server';
import type { Access } from '../access/caller.ts';
import type { Failure } from '../failure/errors.ts';
import type { Identity, Who } from '../identity/identity.ts';

/** What travels with a request through the control plane. */
export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: {
    correlationId: string;
    failure?: Failure;
    /** Why it was refused, for the audit, where the failure says it otherwise. */
    refusedBecause?: string;
    /** The identity that the request was served as, for the audit. */
    identity?: Identity;
  };
}

/** How the control plane learns who calls and what they may do. */
export interface HttpIdentity {
  /** By token or, when there is none, by session cookie. */
  identify(headers: Readonly<Record<string, string | undefined>>): Promise<Who>;
  access(identity: Identity): Access;
  /** The CSRF token of a session's identity. */
  csrfToken(identity: Identity): string;
}
