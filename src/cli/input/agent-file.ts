import { memberText } from '../../contract/values/json-member.ts';
import type { Terminal } from '../terminal.ts';
import { Trouble } from '../trouble.ts';
import { readJsonFile } from './json-file.ts';

type Members = Record<string, unknown>;

/** Members that make a flat file more than a card, so that the registry has to take it apart. */
const beside = [
  'path',
  'tags',
  'license',
  'metadata',
  'is_enabled',
  'supportedProtocol',
  'supported_protocol',
];

/** Reads the registration in a JSON file, with the card as the text that stands there, so that it is kept to the byte. */
export async function readAgentFile(file: string, terminal: Terminal): Promise<Members> {
  const { text, value } = await readObject(file, terminal);
  if (typeof value.card === 'object' && value.card !== null)
    return { ...value, card: memberText(text, 'card') };
  return 'card' in value || beside.some((name) => name in value) ? value : { card: text };
}

/** Reads the merge patch in a JSON file. */
export async function readPatchFile(file: string, terminal: Terminal): Promise<Members> {
  return (await readObject(file, terminal)).value;
}

async function readObject(file: string, terminal: Terminal): Promise<{ text: string; value: Members }> {
  const { name, text, value } = await readJsonFile(file, terminal);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Trouble(`${name} does not describe an agent: it is no JSON object.`, {
      remedy: 'examples/agent.json shows a complete one; the card of an A2A agent does as well.',
    });
  return { text, value: value as Members };
}
