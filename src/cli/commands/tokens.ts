import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { table } from '../output/table.ts';
import { demoAccount, mintToken } from '../sign-in/mint.ts';

/** The commands about personal tokens. */
export const addTokenCommands: AddCommands = (program, on) => {
  addCommand(program, 'token', {
    summary: 'Create a personal token for a demo account (evaluation mode only)',
    examples: [
      'mcp-gateway token --output .token',
      'mcp-gateway token --account bob --expires-in-hours 1 --output bob.token',
      'mcp-gateway token --raw',
    ],
  })
    .option('--account <name>', 'the demo account', demoAccount.name)
    .option('--password-stdin', 'read the password from standard input instead of using the demo one')
    .option(
      '--expires-in-hours <number>',
      'hours until it expires (default: set by the registry)',
      wholeNumber(1),
    )
    .option('--description <text>', 'description for the list of tokens')
    .option('--scope <name...>', 'only these scopes (default: all of yours)')
    .option('--raw', 'only the token itself, for a header')
    .option('--output <file>', 'write it to this file, readable only by you, instead of printing it')
    .action(on(mintToken));

  addCommand(program, 'tokens', {
    summary: 'List your personal tokens',
    examples: ['mcp-gateway tokens'],
  }).action(on(list));

  addCommand(program, 'token-revoke', {
    summary: 'Revoke a personal token immediately',
    examples: ['mcp-gateway token-revoke --id 5f0c7f1e-8d1b-4d4e-9d5e-2f1f0a3f9c11'],
  })
    .requiredOption('--id <id>', 'id of the token, from the list of tokens')
    .action(on(revoke));
};

async function list({ api, output }: Run): Promise<void> {
  const answer = await (await api())('tokens.list');
  output.result(answer, (paint, room) =>
    answer.tokens.length === 0
      ? ''
      : table(
          answer.tokens,
          [
            { title: 'ID', show: (token) => token.id },
            { title: 'CREATED', show: (token) => token.created_at },
            { title: 'EXPIRES', show: (token) => token.expires_at },
            { title: 'LAST USED', show: (token) => token.last_used_at ?? 'never' },
            { title: 'REVOKED', show: (token) => token.revoked_at ?? '', style: () => 'red' },
            { title: 'DESCRIPTION', show: (token) => token.description },
          ],
          room,
          paint,
        ),
  );
  if (!output.json && answer.tokens.length === 0) output.note('No tokens.');
}

async function revoke({ api, output }: Run, { id }: { id: string }): Promise<void> {
  await (await api())('tokens.revoke', { params: { id } });
  output.result({ id, revoked: true }, () => `Revoked ${id}.`);
}
