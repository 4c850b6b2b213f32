import { Argument, type Command, Option } from 'commander';
import {
  type SetupOptions,
  type SetupProvider,
  type SetupResult,
  setupOptionsOf,
} from '../../contract/diagnosis/setup.ts';
import { plainText } from '../../contract/values/plain-text.ts';
import { type ClientsFlags, examineClients } from '../clients-doctor/doctor.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { allOf } from '../input/confirm.ts';
import { openQuestions } from '../input/questions.ts';
import { writeSecret } from '../input/write-secret.ts';
import { showDiagnosis } from '../output/diagnosis.ts';
import type { Paint } from '../output/output.ts';
import { misuse } from '../trouble.ts';

interface SetupFlags extends SetupOptions {
  yes?: boolean;
  passwordStdin?: boolean;
}

interface DoctorFlags extends ClientsFlags {
  record?: string;
  yes?: boolean;
}

/** `doctor` and `setup`: what is between the gateway and its identity provider. */
export const addProviderCommands: AddCommands = (program, on) => {
  addCommand(program, 'doctor', {
    summary:
      'Check the setup of the identity provider; with `gateway` also keys and connections, with `clients` the sign-in of MCP clients; changes nothing',
    examples: [
      'mcp-gateway doctor entra',
      'mcp-gateway doctor keycloak --json',
      'mcp-gateway doctor entra --record tenant.json',
      'mcp-gateway doctor gateway',
      'mcp-gateway doctor clients --registry-url https://mcpgateway.example.com',
    ],
  })
    .addArgument(new Argument('<what>', 'the identity provider, as in AUTH_PROVIDER, gateway or clients'))
    .option('--client <id...>', 'clients: only these, such as claude-code')
    .option('--server <path>', 'clients: server to test the sign-in for (default: any)')
    .option(
      '--record <file>',
      'entra: record how the tenant responds, without names and values, to compare the emulator with it; shows the record first',
    )
    .option('--yes', 'with --record: do not ask before writing')
    .action((what: string, ...rest: unknown[]) =>
      on<DoctorFlags>((run, flags) => {
        if (flags.record !== undefined) return record(run, what, flags.record, flags.yes);
        if (what === 'gateway') return running(run);
        return what === 'clients' ? examineClients(run, flags) : doctor(run, what);
      })(what, ...rest),
    );

  const setting = addCommand(program, 'setup', {
    summary: 'Set up the identity provider for the gateway and write .env; can be repeated at any time',
    examples: [
      'mcp-gateway setup entra --url https://mcpgateway.example.com --plan',
      'mcp-gateway setup entra --url https://mcpgateway.example.com',
      'mcp-gateway setup entra --print terraform',
      'mcp-gateway setup entra --remove',
      'mcp-gateway setup keycloak --server-url https://sso.example.com --realm company --url https://mcpgateway.example.com',
    ],
  })
    .addArgument(new Argument('<provider>', 'the identity provider').choices(Object.keys(setupOptionsOf)))
    .option('--plan', 'show what would be changed, and change nothing')
    .option('--remove', 'remove what setup created, in the tenant or realm and in this folder')
    .option('--yes', 'do not ask before changing something')
    .option('--url <url>', 'public address of the gateway (or REGISTRY_URL; default http://localhost:8080)')
    .option('--name <name>', 'name of the registration or client (default mcp-gateway-web)')
    .option(
      '--role <role...>',
      'roles to create groups for: admin, user, developer, operator (default admin user)',
    )
    .option(
      '--user <name...>',
      'people to add to the group of users, by user name (Entra ID: user principal name)',
    );
  addEntraOptions(setting);
  addKeycloakOptions(setting);
  setting.action((provider: SetupProvider, ...rest: unknown[]) =>
    on<SetupFlags>((run, flags) => setup(run, provider, flags))(provider, ...rest),
  );
};

function addEntraOptions(command: Command): void {
  command
    .addOption(
      new Option('--print <form>', 'Entra: print the steps for another tool; no sign-in needed').choices([
        'az',
        'terraform',
      ]),
    )
    .option(
      '--redirect-uri <uri...>',
      'Entra: redirect URIs instead of /oauth2/callback/entra at the public address',
    )
    .option('--tenant <id>', 'Entra: tenant, as GUID or domain (default: that of the administrator)')
    .option(
      '--secret-days <number>',
      'Entra: days that the client secret is valid (default 180)',
      wholeNumber(31, 730),
    )
    .option(
      '--certificate <pem>',
      'Entra: register this certificate instead of a client secret; its key can be in the same file',
    )
    .option(
      '--purge-deleted',
      'Entra: purge what an earlier setup created and someone deleted, instead of restoring it',
    )
    .option('--certificate-key <pem>', 'Entra: private key of the certificate, if it is in another file')
    .option(
      '--client-id <id>',
      'Entra: public client to sign in with, if that of Microsoft Graph is not allowed',
    );
}

function addKeycloakOptions(command: Command): void {
  command
    .option('--server-url <url>', 'Keycloak: address of the server, without /realms/... (or KEYCLOAK_URL)')
    .option('--realm <realm>', 'Keycloak: the realm to set up (or KEYCLOAK_REALM; default mcp-gateway)')
    .option(
      '--username <name>',
      'Keycloak: administrator to sign in as, instead of the client in KEYCLOAK_SETUP_CLIENT_ID and ' +
        'KEYCLOAK_SETUP_CLIENT_SECRET; asked for if left out',
    )
    .option('--password-stdin', "Keycloak: read the administrator's password from standard input")
    .option('--login-realm <realm>', 'Keycloak: realm of that administrator or client (default master)')
    .option('--admin <name...>', 'Keycloak: people to add to the group of administrators, by user name')
    .option(
      '--sign-in-only',
      'Keycloak: do not create the client with which the gateway manages users, groups and agents',
    );
}

/** Exit code 1 when something fails, 0 when there is nothing worse than a warning. */
async function doctor({ world, output }: Run, provider: string): Promise<number> {
  const diagnosis = await world.runDoctor(provider);
  output.result(diagnosis, (paint) => showDiagnosis(diagnosis, paint));
  return diagnosis.healthy ? 0 : 1;
}

/** What the running gateway finds: its identity provider, its keys, and the connections of people to servers. */
async function running({ api, output }: Run): Promise<number> {
  const diagnosis = await (await api())('system.doctor', { query: { max_age: 0 } });
  output.result(diagnosis, (paint) => showDiagnosis(diagnosis, paint));
  return diagnosis.healthy ? 0 : 1;
}

/** Shows what would be written, every value a placeholder, and writes it when that is agreed to. */
async function record(
  { world, output, terminal }: Run,
  provider: string,
  file: string,
  yes = false,
): Promise<number> {
  if (provider !== 'entra')
    throw misuse(`--record is an option of doctor entra; it means nothing to ${provider}.`, 'Leave it out.');
  const text = `${JSON.stringify(await world.recordEntra(), null, 2)}\n`;
  for (const line of text.trimEnd().split('\n')) output.note(plainText(line));
  output.note(
    'Nothing else is written: values are placeholders. Custom claims and headers show by their names.',
  );
  const questions = openQuestions(terminal);
  try {
    const otherwise = 'Add --yes to write it without being asked.';
    const isAgreed =
      yes || (await questions.ask(`Write this to ${file}? (yes/no): `, { otherwise })).trim() === 'yes';
    if (isAgreed) await writeSecret(terminal.cwd, file, text);
    output.result({ written: isAgreed ? file : null }, () =>
      isAgreed
        ? `Written to ${plainText(file)}. Compare with: mcp-gateway gateway entra-emulator --compare ${plainText(file)}`
        : 'Nothing was written.',
    );
    return 0;
  } finally {
    await questions.close();
  }
}

/** Exit code 1 when it is set up but the doctor is not content. */
async function setup(
  { world, output, terminal }: Run,
  provider: SetupProvider,
  { yes, passwordStdin, ...options }: SetupFlags,
): Promise<number> {
  refuseForeign(provider, { ...options, ...(passwordStdin ? { passwordStdin } : {}) });
  const questions = openQuestions(terminal);
  try {
    const result = await world.runSetup(provider, options, {
      say: output.note,
      async ask(question, { isSecret = false } = {}) {
        if (isSecret && passwordStdin) return (await allOf(terminal.stdin)).replace(/\r?\n$/, '');
        return questions.ask(question, { isSecret, otherwise: otherAccess });
      },
      async agree(heading, lines) {
        for (const line of [heading, ...lines]) output.note(line);
        if (yes) return true;
        const otherwise = 'Add --yes to proceed, or --plan to only see the plan.';
        return (await questions.ask('Continue? (yes/no): ', { otherwise })).trim() === 'yes';
      },
    });
    output.result(result, (paint) => showSetup(result, options, paint));
    return result.diagnosis?.healthy === false ? 1 : 0;
  } finally {
    await questions.close();
  }
}

const otherAccess =
  'Give --username and --password-stdin, or set KEYCLOAK_SETUP_CLIENT_ID and KEYCLOAK_SETUP_CLIENT_SECRET.';

/** An option that means nothing for the provider is refused, not passed over. */
function refuseForeign(provider: SetupProvider, flags: object): void {
  for (const [other, names] of Object.entries({
    ...setupOptionsOf,
    keycloak: [...setupOptionsOf.keycloak, 'passwordStdin'],
  })) {
    const name = other === provider ? undefined : names.find((one) => Object.hasOwn(flags, one));
    if (name === undefined) continue;
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw misuse(
      `${flag} is an option of setup ${other}; it means nothing to ${provider}.`,
      `Leave it out; mcp-gateway gateway setup --help shows which options belong to which provider.`,
    );
  }
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
