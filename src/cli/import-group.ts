import type { JSONType } from 'zod';
import type { Run } from './command.ts';
import { faultLine, type JsonFile, readJsonFile } from './input/json-file.ts';
import { scopeChange } from './output/group-view.ts';
import type { Terminal } from './terminal.ts';
import { Trouble } from './trouble.ts';

/** The action of `import-group`: makes or replaces the scope that a group definition file describes. */
export async function importGroup({ api, output, terminal }: Run, { file }: { file: string }): Promise<void> {
  const definition = await readDefinition(file, terminal);
  const call = await api();
  const body = definition.value as Record<string, JSONType>;
  const answer = await call('scopes.import', { body }).catch((error: unknown) => {
    throw placed(error, definition);
  });
  output.result(answer, (paint) => scopeChange(answer, paint));
  if (!output.json) for (const warning of answer.warnings) output.warn(warning);
}

async function readDefinition(file: string, terminal: Terminal): Promise<JsonFile> {
  const definition = await readJsonFile(file, terminal).catch((error: unknown) => {
    throw inWordsOfTheGuide(error, file);
  });
  const { value } = definition;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('scope_name' in value))
    throw new Trouble("JSON file must contain 'scope_name' field.", {
      remedy: 'examples/public-mcp-users.json shows a complete group definition.',
    });
  return definition;
}

/** Scripts look for these words. */
function inWordsOfTheGuide(error: unknown, file: string): unknown {
  if (!(error instanceof Trouble)) return error;
  if (error.about.code === 'no_file') return new Trouble(`File not found: ${file}.`, error.about);
  if (error.about.code === 'invalid_file')
    return new Trouble(`Invalid JSON in file: ${error.message}`, error.about);
  return error;
}

/** The server's faults with the places in the file that they are about. */
function placed(error: unknown, { name, places }: JsonFile): unknown {
  if (!(error instanceof Trouble) || !error.about.faults?.length) return error;
  const faults = error.about.faults.map((fault) => {
    const [, path = '', message = fault] = /^body\.?(\S*): (.*)$/s.exec(fault) ?? [];
    return faultLine(places, path, message);
  });
  return new Trouble(`${name} does not describe a scope.`, { ...error.about, faults });
}
