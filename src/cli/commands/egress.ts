import { Option } from 'commander';
import type { Output } from '../../contract/endpoint.ts';
import { discoveryModes, egressModes, egressProviders } from '../../contract/servers/egress-words.ts';
import type { serverEgressEndpoints } from '../../contract/servers/server-egress.ts';
import { type AddCommands, addCommand, pathOption, type Run, wholeNumber } from '../command.ts';
import { allOf } from '../input/confirm.ts';
import type { Paint } from '../output/output.ts';
import { fields } from '../output/table.ts';
import { misuse } from '../trouble.ts';

type Egress = Output<(typeof serverEgressEndpoints)['servers.egress']>;

interface Flags {
  path: string;
  mode: (typeof egressModes)[number];
  provider: (typeof egressProviders)[number];
  clientId?: string;
  clientSecretStdin?: true;
  scopes: string[];
  targetAudience?: string;
  audienceParameter?: 'resource' | 'audience' | 'none';
  authorizeUrl?: string;
  tokenUrl?: string;
  issuer?: string;
  tokenAuthMethod?: 'client_secret_basic' | 'client_secret_post';
  headerName?: string;
  headerPrefix?: string;
  maxDays?: number;
  discovery?: (typeof discoveryModes)[number];
}

/** The commands about whose credential goes to a server. */
export const addEgressCommands: AddCommands = (program, on) => {
  addCommand(program, 'egress-show', {
    summary: 'Show which credential the gateway sends to a server, and how it gets it',
    examples: ['mcp-gateway egress-show --path /github'],
  })
    .addOption(pathOption())
    .action(on(show));
  addCommand(program, 'egress-configure', {
    summary:
      "Set which credential the gateway sends to a server: its own, or each person's (for administrators)",
    examples: [
      'mcp-gateway egress-configure --path /linear --mode oauth_user --provider linear',
      'mcp-gateway egress-configure --path /github --mode oauth_user --provider github --client-id Iv1.4f1c --client-secret-stdin --scopes repo < secret',
      'mcp-gateway egress-configure --path /jira --mode pat --max-days 90',
      'mcp-gateway egress-configure --path /payroll --mode obo_exchange --scopes api://payroll/.default',
    ],
  })
    .addOption(pathOption())
    .addOption(
      new Option('--mode <mode>', 'whose credential, and how').choices(egressModes).makeOptionMandatory(),
    )
    .addOption(
      new Option('--provider <name>', 'a known service, whose addresses need not be given')
        .choices(egressProviders)
        .default('custom'),
    )
    .option('--client-id <id>', 'OAuth client id of the gateway there; without one it registers itself')
    .option('--client-secret-stdin', 'read its secret from standard input')
    .option('--scopes <scope...>', 'OAuth scopes to request', [])
    .option('--target-audience <audience>', 'audience of the tokens (default: the address of the server)')
    .addOption(
      new Option(
        '--audience-parameter <name>',
        'parameter that carries the audience in token requests',
      ).choices(['resource', 'audience', 'none']),
    )
    .option('--authorize-url <url>', 'authorization endpoint, if it cannot be discovered')
    .option('--token-url <url>', 'token endpoint, if it cannot be discovered')
    .option('--issuer <url>', 'issuer whose metadata has both endpoints')
    .addOption(
      new Option(
        '--token-auth-method <method>',
        'how the gateway authenticates to the token endpoint',
      ).choices(['client_secret_basic', 'client_secret_post']),
    )
    .option('--header-name <name>', 'header for the credential (default Authorization)')
    .option('--header-prefix <text>', "text in front of the credential (default 'Bearer ')")
    .option('--max-days <days>', 'for pat: longest time that a token can be stored', wholeNumber(1, 365))
    .addOption(
      new Option('--discovery <who>', 'identity for health checks and tool lists').choices(discoveryModes),
    )
    .action(on(configure));
};

async function show({ api, output }: Run, { path }: { path: string }): Promise<void> {
  const found = await (await api())('servers.egress', { params: { path } });
  output.result(found, (paint) => shown(found, paint));
}

async function configure({ api, output, terminal }: Run, flags: Flags): Promise<void> {
  const secret = flags.clientSecretStdin ? (await allOf(terminal.stdin)).trim() : undefined;
  if (secret === '')
    throw misuse('Standard input holds no secret.', 'Pipe it in, for instance from a file: < secret.');
  const { audienceParameter, tokenAuthMethod, headerName, headerPrefix, maxDays, discovery } = flags;
  const found = await (await api())('servers.configureEgress', {
    params: { path: flags.path },
    body: {
      egress_auth_mode: flags.mode,
      egress_provider: flags.provider,
      client_id: flags.clientId ?? null,
      ...(secret === undefined ? {} : { client_secret: secret }),
      scopes: flags.scopes,
      target_audience: flags.targetAudience ?? null,
      ...(audienceParameter ? { audience_parameter: audienceParameter } : {}),
      custom_authorize_url: flags.authorizeUrl ?? null,
      custom_token_url: flags.tokenUrl ?? null,
      custom_issuer: flags.issuer ?? null,
      ...(tokenAuthMethod ? { token_auth_method: tokenAuthMethod } : {}),
      ...(headerName === undefined ? {} : { header_name: headerName }),
      ...(headerPrefix === undefined ? {} : { header_prefix: headerPrefix }),
      ...(maxDays === undefined ? {} : { max_days: maxDays }),
      ...(discovery ? { discovery } : {}),
    },
  });
  output.result(found, (paint) => shown(found, paint));
  if (!output.json && flags.mode === 'oauth_user')
    output.note(`Register ${found.callback_url} as redirect URI there, unless the gateway registers itself.`);
}

function listsOf({ lists_connection: held }: Egress): string {
  return held ? `${held.username}, ${held.status}` : 'no one yet';
}

function shown(found: Egress, paint: Paint): string {
  return fields(
    [
      ['Mode', found.egress_auth_mode],
      ['Service', found.egress_provider],
      ['Client', found.client_id],
      ['Client secret', found.has_client_secret ? 'stored' : null],
      ['Scopes', found.scopes?.join(' ')],
      ['Audience', found.target_audience],
      ['Authorize', found.custom_authorize_url],
      ['Token', found.custom_token_url],
      ['Issuer', found.custom_issuer],
      ['Header', `${found.header_name}: ${found.header_prefix}...`],
      ['Checked by', found.discovery === 'none' ? null : found.discovery],
      ['Connected for lists', found.discovery === 'person' ? listsOf(found) : null],
      ['Redirect URI', found.egress_auth_mode === 'oauth_user' ? found.callback_url : null],
      ['People connect at', found.connect_url],
    ],
    paint,
  );
}
