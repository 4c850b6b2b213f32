import type { Agent } from '../api.ts';

/** A skill as the page shows it. */
export interface Skill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples: readonly string[];
}

/** The skills on a card, each id once; what is not text is left out, since a card is what somebody else wrote. */
export function cardSkills(card: Agent['card']): Skill[] {
  const listed: unknown = card?.skills;
  const skills = new Map<string, Skill>();
  for (const one of Array.isArray(listed) ? (listed as unknown[]) : []) {
    if (typeof one !== 'object' || one === null) continue;
    const { id, name, description, tags, examples } = one as Record<string, unknown>;
    if (typeof id !== 'string' || skills.has(id)) continue;
    skills.set(id, {
      id,
      name: typeof name === 'string' ? name : id,
      description: typeof description === 'string' ? description : '',
      ...{ tags: texts(tags), examples: texts(examples) },
    });
  }
  return [...skills.values()];
}

function texts(value: unknown): string[] {
  const found = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  return [...new Set(found)];
}
