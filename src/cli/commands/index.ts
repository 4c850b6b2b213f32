import type { AddCommands } from '../command.ts';
import { addAgentCommands } from './agents.ts';
import { addCompletionCommand } from './completion.ts';
import { addEntraCommands } from './entra.ts';
import { addGroupCommands } from './groups.ts';
import { addIdentityCommands } from './identity.ts';
import { addProcessCommands } from './process.ts';
import { addServerCommands } from './servers.ts';
import { addTokenCommands } from './tokens.ts';

const nouns: readonly AddCommands[] = [
  addProcessCommands,
  addServerCommands,
  addGroupCommands,
  addAgentCommands,
  addIdentityCommands,
  addTokenCommands,
  addEntraCommands,
  addCompletionCommand,
];

/** Joins every command to the program, in the order in which help shows them. */
export const addAllCommands: AddCommands = (program, on) => {
  for (const add of nouns) add(program, on);
};
