import { Argument, Option } from 'commander';
import type { SetupOptions, SetupResult } from '../../contract/setup.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { confirm } from '../confirm.ts';
import { showDiagnosis } from '../diagnosis.ts';
import type { Paint } from '../output.ts';
import { plainText } from '../plain-text.ts';

interface SetupFlags extends SetupOptions {
  yes?: boolean;
}

/** `doctor` and `setup`: what is between the gateway and its identity provider. */
export const addEntraCommands: AddCommands = (program, on) => {
  addCommand(program, 'doctor', {
    summary: 'Check that the identity provider is set up as the gateway needs it; changes nothing',
    examples: ['mcp-gateway doctor entra', 'mcp-gateway doctor entra --json'],
  })
    .addArgument(new Argument('<provider>', 'the identity provider').choices(['entra']))
    .action(on<unknown>(doctor));

  addCommand(program, 'setup', {
    summary: 'Set up the identity provider for the gateway and write .env; may be run again at any time',
    examples: [
      'mcp-gateway setup entra --url https://mcpgateway.example.com --plan',
      'mcp-gateway setup entra --url https://mcpgateway.example.com',
      'mcp-gateway setup entra --print terraform',
      'mcp-gateway setup entra --remove',
    ],
  })
    .addArgument(new Argument('<provider>', 'the identity provider').choices(['entra']))
    .option('--plan', 'show what would be changed, and change nothing')
    .option('--remove', 'take back what setup made, in the tenant and in this folder')
    .option('--yes', 'do not ask before changing something')
    .addOption(
      new Option('--print <form>', 'print the same for another tool; nobody signs in').choices([
        'az',
        'terraform',
      ]),
    )
    .option('--url <url>', 'public address of the gateway (or REGISTRY_URL; default http://localhost:8080)')
    .option('--redirect-uri <uri...>', 'redirect URIs instead of /oauth2/callback/entra at that address')
    .option('--tenant <id>', 'tenant, as GUID or domain; that of the administrator if left out')
    .option('--name <name>', 'name of the registration (default mcp-gateway-web)')
    .option(
      '--role <role...>',
      'roles to make groups for: admin, user, developer, operator (default admin user)',
    )
    .option('--user <name...>', 'people, by user principal name, to put into the group of users')
    .option(
      '--secret-days <number>',
      'days that the client secret is good for (default 180)',
      wholeNumber(31, 730),
    )
    .option(
      '--certificate <pem>',
      'register this certificate, whose key may be in the same file, instead of making a client secret',
    )
    .option('--certificate-key <pem>', "file of the certificate's private key, where it is another one")
    .option(
      '--client-id <id>',
      'public client to sign in with, where the one of Microsoft Graph is not allowed',
    )
    .action(on(setup));
};

/** Exit code 1 when something fails, 0 when there is nothing worse than a warning. */
async function doctor({ world, output }: Run): Promise<number> {
  const diagnosis = await world.runDoctor();
  output.result(diagnosis, (paint) => showDiagnosis(diagnosis, paint));
  return diagnosis.healthy ? 0 : 1;
}

/** Exit code 1 when it is set up but the doctor is not content. */
async function setup({ world, output, terminal }: Run, { yes, ...options }: SetupFlags): Promise<number> {
  const result = await world.runSetup(options, {
    say: output.note,
    async agree(heading, lines) {
      for (const line of [heading, ...lines]) output.note(line);
      if (yes) return true;
      return confirm('Go ahead?', terminal, 'Say --yes to go ahead, or --plan to only look.');
    },
  });
  output.result(result, (paint) => showSetup(result, options, paint));
  return result.diagnosis?.healthy === false ? 1 : 0;
}

function showSetup(
  { plan, done, printed, removed, diagnosis }: SetupResult,
  options: SetupOptions,
  paint: Paint,
): string {
  if (printed !== undefined) return printed.trimEnd();
  if (removed) {
    if (!done) return 'Nothing was removed.';
    return removed.length === 0
      ? 'There was nothing to remove.'
      : ['Removed:', ...removed.map(plainText)].join('\n  ');
  }
  const steps = plan.map(({ title, changes }) =>
    [paint('bold', plainText(title)), ...changes.map((change) => `  - ${plainText(change)}`)].join('\n'),
  );
  if (options.plan) return steps.length === 0 ? 'Everything is in place.' : steps.join('\n');
  if (!done) return 'Nothing was changed.';
  const verdict = diagnosis ? `\n\n${showDiagnosis(diagnosis, paint)}` : '';
  return `${steps.length === 0 ? 'Everything was in place already.' : 'It is set up. Start or restart the gateway: mcp-gateway start'}${verdict}`;
}
