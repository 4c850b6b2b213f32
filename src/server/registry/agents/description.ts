import type { z } from 'zod';
import { type AgentCard, maxCardLength } from '../../../contract/agents/agent-card.ts';
import { type AgentNotes, wrappedAgent } from '../../../contract/agents/agents.ts';
import { memberText } from '../../../contract/values/json-member.ts';
import { invalidInput } from '../../failure/errors.ts';
import { held } from '../input-faults.ts';
import { lift } from './flat.ts';

/** What is said about an agent. */
export interface Description {
  readonly card: AgentCard;
  /** The card's text, which `card` is parsed from. */
  readonly text: string;
  readonly notes: AgentNotes;
}

/** What a body says: the agent, where it is to be, and whether it is to be switched on, if that is said. */
export interface Said {
  readonly path: string;
  readonly description: Description;
  readonly isEnabled: boolean | undefined;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads a registration, wrapped (`{path, card, ...}`) or flat (a card with path and the like beside its members); `text` is
 * the body's. Without a path it is `path`, or else made of the name. The card keeps its text where it came as one.
 */
export function readDescription(body: Body, text: string, path?: string): Said {
  const isWrapped = 'card' in body;
  const { notes, card }: Parts = isWrapped ? wrappedParts(body, text) : flatParts(body, text);
  if (card.text.length > maxCardLength)
    throw invalidInput([{ at: 'body.card', message: `is longer than ${maxCardLength} characters` }]);
  const place = notes.path ?? path ?? pathFrom(card.value);
  const sentAt = (at: readonly PropertyKey[]) => (!isWrapped && at[0] === 'card' ? at.slice(1) : at);
  const wrapped = held(wrappedAgent, { ...notes, path: place, card: card.value }, sentAt);
  return saidBy(wrapped, card.text);
}

/** What a valid registration says, its card being `text`. */
export function saidBy(wrapped: z.output<typeof wrappedAgent>, text: string): Said {
  const { path, card, is_enabled: isEnabled, ...notes } = wrapped;
  return { path, isEnabled, description: { card, text, notes } };
}

interface Parts {
  readonly notes: Body;
  readonly card: { readonly value: unknown; readonly text: string };
}

function wrappedParts({ card, ...notes }: Body, text: string): Parts {
  if (typeof card !== 'string') return { notes, card: { value: card, text: memberText(text, 'card') ?? '' } };
  try {
    return { notes, card: { value: JSON.parse(card), text: card } };
  } catch (error) {
    throw invalidInput([{ at: 'body.card', message: `is not valid JSON: ${(error as Error).message}` }]);
  }
}

function flatParts(body: Body, text: string): Parts {
  const { notes, card, asSent } = lift(body);
  return { notes, card: { value: card, text: asSent ? text : JSON.stringify(card, null, 2) } };
}

/** `Flight booking` becomes `/flight-booking`; undefined when nothing of the name can be in a path. */
function pathFrom(card: unknown): string | undefined {
  const name = typeof card === 'object' && card !== null && 'name' in card ? card.name : undefined;
  if (typeof name !== 'string') return undefined;
  const words = name
    .slice(0, 200)
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words ? `/${words.join('-')}` : undefined;
}
