import type { AddCommands } from '../command.ts';
import { addMoveCommands } from '../files/move.ts';
import { addAccessRequestCommands } from './access-requests.ts';
import { addAgentCommands } from './agents.ts';
import { addAuditCommands } from './audit.ts';
import { addCompletionCommand } from './completion.ts';
import { addConnectionCommands } from './connections.ts';
import { addCredentialCommands } from './credentials.ts';
import { addEgressCommands } from './egress.ts';
import { addGroupCommands } from './groups.ts';
import { addIdentityCommands } from './identity.ts';
import { addM2mCommands } from './m2m.ts';
import { addM2mClientCommands } from './m2m-clients.ts';
import { addOauthClientCommands } from './oauth-clients.ts';
import { addProcessCommands } from './process.ts';
import { addProviderCommands } from './provider.ts';
import { addSearchCommands } from './search.ts';
import { addServerCommands } from './servers.ts';
import { addTokenCommands } from './tokens.ts';
import { addUserCommands } from './users.ts';
import { addVirtualServerCommands } from './virtual-servers.ts';

const nouns: readonly AddCommands[] = [
  addProcessCommands,
  addServerCommands,
  addEgressCommands,
  addConnectionCommands,
  addAccessRequestCommands,
  addGroupCommands,
  addUserCommands,
  addM2mCommands,
  addM2mClientCommands,
  addOauthClientCommands,
  addAgentCommands,
  addVirtualServerCommands,
  addSearchCommands,
  addMoveCommands,
  addIdentityCommands,
  addTokenCommands,
  addAuditCommands,
  addCredentialCommands,
  addProviderCommands,
  addCompletionCommand,
];

/** Joins every command to the program, in the order in which help shows them. */
export const addAllCommands: AddCommands = (program, on) => {
  for (const add of nouns) add(program, on);
};
