import { t } from '../words/words.ts';

/** What can be told of a card while it is written; the gateway holds it to the schema when it is sent. */
export type ReadCard =
  | { readonly is: 'card'; readonly name: string; readonly description: string; readonly skills: number }
  | { readonly is: 'nothing'; readonly fault: string };

/** Reads the text of a card as far as the form shows it. */
export function readCard(text: string): ReadCard {
  const nothing = (fault: string): ReadCard => ({ is: 'nothing', fault });
  if (text.trim() === '') return nothing(t('Paste the card of the agent, or choose its file.'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return nothing(t('This is not JSON: {why}', { why: error instanceof Error ? error.message : '' }));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return nothing(t('A card is a JSON object.'));
  const { name, description, skills } = value as Record<string, unknown>;
  if (typeof name !== 'string' || name.trim() === '') return nothing(t('The card has no name.'));
  return {
    is: 'card',
    name,
    description: typeof description === 'string' ? description : '',
    skills: Array.isArray(skills) ? skills.length : 0,
  };
}

/** A path for an agent of that name. */
export function pathFromName(name: string): string {
  const made = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return made && `/${made}`;
}

/** A card to start from (A2A 1.0). */
export const exampleCard = JSON.stringify(
  {
    name: 'Flight Booking',
    description: 'Finds and books flights.',
    version: '1.0.0',
    supportedInterfaces: [
      { url: 'https://agents.example.com/flights', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ],
    provider: { organization: 'Example', url: 'https://example.com' },
    capabilities: { streaming: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [
      {
        id: 'find-flights',
        name: 'Find flights',
        description: 'Lists flights between two airports on a day.',
        tags: ['travel'],
        examples: ['Flights from Oslo to Lisbon on Friday'],
      },
    ],
  },
  null,
  2,
);
