import { createHash } from 'node:crypto';
import { type AgentCard, interfacesOf } from '../../../contract/agents/agent-card.ts';
import { wrappedAgent } from '../../../contract/agents/agents.ts';
import { invalidInput } from '../../failure/errors.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { assertReachableUrls, held, urlForRecord } from '../input-faults.ts';
import { type Json, mergePatch } from '../merge-patch.ts';
import { type Said, saidBy } from './description.ts';
import { registryMembers } from './flat.ts';
import type { AgentRow } from './store.ts';

type Patch = Record<string, Json>;

/**
 * What is said about an agent after a merge patch, held to the schema of a registration as a whole. The patch is wrapped,
 * or flat: then what is not the registry's is the card's. A card that stays the same keeps its text.
 */
export function patched(row: AgentRow, patch: Patch): Said {
  const wrapped = 'card' in patch ? patch : wrap(patch);
  const card = JSON.parse(row.card) as Json;
  const merged = mergePatch({ path: row.path, ...(row.notes as unknown as Patch), card }, wrapped);
  const said = held(wrappedAgent, merged);
  // Not the schema's copy: what it makes of a member called `__proto__` is its own affair.
  const next = (merged as { card: Json }).card;
  const same = JSON.stringify(next) === JSON.stringify(card);
  if (!same && row.summary.signed) assertSignedAnew(wrapped.card);
  return saidBy(said, same ? row.card : JSON.stringify(next, null, 2));
}

function wrap(patch: Patch): Patch {
  const own = (name: string): boolean => (registryMembers as readonly string[]).includes(name);
  const entries = Object.entries(patch);
  const card = Object.fromEntries(entries.filter(([name]) => !own(name)));
  return { ...Object.fromEntries(entries.filter(([name]) => own(name))), card };
}

function assertSignedAnew(patch: Json | undefined): void {
  if (typeof patch === 'object' && patch !== null && 'signatures' in patch) return;
  const message =
    'the card is signed, and its signatures would not hold for the changed one: send new ones, or null to drop them';
  throw invalidInput([{ at: 'body.card.signatures', message }]);
}

/** Refuses another path: scopes and the audit trail know the agent by it. */
export function assertSamePath(row: AgentRow, path: string): void {
  if (path === row.path) return;
  const message = `the path stays '${row.path}'; to move the agent, register it at '${path}' and remove this one`;
  throw invalidInput([{ at: 'body.path', message }]);
}

/** Refuses a card with an interface at an address that the gateway may not reach; every fault is named. */
export function assertReachable(card: AgentCard, policy: OutboundPolicy): void {
  const urls = interfacesOf(card).map(({ at, url }) => ({ at: `body.card.${at}`, url }));
  assertReachableUrls(urls, policy);
}

/** An agent as the audit trail keeps it: what its card says in short, and the hash of its text. */
export function forRecord(row: AgentRow): Record<string, unknown> {
  const { notes, summary, interfaces, isEnabled, revision, path } = row;
  return {
    ...{ path, name: summary.name, version: summary.version, skills: summary.skills, tags: notes.tags },
    license: notes.license,
    urls: interfaces.map(({ url }) => urlForRecord(url)),
    card_sha256: createHash('sha256').update(row.card).digest('hex'),
    ...{ is_enabled: isEnabled, revision },
  };
}
