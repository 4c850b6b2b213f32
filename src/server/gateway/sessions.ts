import { LRUCache } from 'lru-cache';
import { Failure } from '../failure/errors.ts';
import type { Identity } from '../identity/identity.ts';
import type { Asked } from './read-call.ts';

/**
 * Who opened which session of the legacy eras (`Mcp-Session-Id`). A session id is no credential, so one identity's
 * session is unknown to every other. Held in memory and bounded: a session not remembered is left to its server.
 */
export interface Sessions {
  /** Fails with `not_found`, as for an expired session, when another identity opened it. */
  check(server: string, id: string | string[] | undefined, identity: Identity): void;
  /** Remembers the session that a server opened in its answer to `initialize`. */
  note(server: string, id: string | string[] | undefined, identity: Identity, asked: Asked): void;
}

const severalHolders = '';

/** Nothing is remembered yet; at most `max` sessions will be. */
export function createSessions(max: number): Sessions {
  const holders = new LRUCache<string, string>({ max });
  return {
    check(server, id, identity) {
      if (typeof id !== 'string') return;
      const holder = holders.get(keyOf(server, id));
      if (holder === undefined || holder === severalHolders || holder === holderOf(identity)) return;
      throw new Failure('not_found', 'This session is not known; begin with initialize.');
    },
    note(server, id, identity, asked) {
      // Servers repeat the id in every answer; only here is it theirs alone, and not what some client sent.
      if (typeof id !== 'string' || !asked.messages.some(({ method }) => method === 'initialize')) return;
      const [key, holder] = [keyOf(server, id), holderOf(identity)];
      const before = holders.get(key);
      // A server that gives all its clients one id has no sessions to protect.
      holders.set(key, before === undefined || before === holder ? holder : severalHolders);
    },
  };
}

function keyOf(server: string, id: string): string {
  return `${server}\n${id}`;
}

/** Tells identities apart. */
export function holderOf({ provider, subject }: Identity): string {
  return JSON.stringify([provider, subject]);
}
