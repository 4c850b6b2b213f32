import { tracedFetch } from '../api.ts';
import { type AddCommands, addCommand, type Run } from '../command.ts';
import { fields } from '../output/table.ts';
import { type LoginFlags, login } from '../sign-in/login.ts';
import { changeSignIn, type SignedIn } from '../sign-in/login-store.ts';

/** The commands about who is calling. */
export const addIdentityCommands: AddCommands = (program, on) => {
  addCommand(program, 'login', {
    summary: 'Sign in with your own account, so that commands need no token file',
    examples: [
      'mcp-gateway login --registry-url https://mcpgateway.example.com',
      'mcp-gateway login --device-code',
    ],
  })
    .option('--device-code', 'sign in with a code at a browser on any machine')
    .option('--at-provider', 'sign in at the identity provider itself, with its public client')
    .option('--no-browser', 'only print the address, and open no browser')
    .action(on<LoginFlags>(login));

  addCommand(program, 'logout', {
    summary: 'Sign out, and end the access of the command line',
    examples: ['mcp-gateway logout', 'mcp-gateway logout --registry-url https://mcpgateway.example.com'],
  }).action(on(logout));

  addCommand(program, 'whoami', {
    summary: 'Show your account, groups, scopes and permissions',
    examples: ['mcp-gateway whoami --token-file .token'],
  }).action(on(whoami));
};

async function logout({ output, registryUrl, terminal }: Run): Promise<void> {
  let username: string | null = null;
  await changeSignIn(terminal, registryUrl, async (present) => {
    username = present?.username ?? null;
    if (present) await giveBack(present, output);
    return undefined;
  });
  output.result({ registry_url: registryUrl, username, signed_out: username !== null }, () => '');
  output.note(
    username === null ? `No one was signed in at ${registryUrl}.` : `Forgot the sign-in of ${username}.`,
  );
}

/** Ends the sign-in at the registry too, as far as it can be reached (RFC 7009): what was forgotten here is forgotten. */
async function giveBack(present: SignedIn, output: Run['output']): Promise<void> {
  const { revocation_endpoint: url, refresh_token, client_id } = present;
  if (url === undefined || refresh_token === null) return;
  try {
    const body = new URLSearchParams({ token: refresh_token, token_type_hint: 'refresh_token', client_id });
    const response = await tracedFetch(output.debug)(url, { method: 'POST', redirect: 'error', body });
    if (!response.ok) throw new Error(`status ${response.status}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    output.warn(`the registry could not be notified (${why}): end the sign-in there, under your account`);
  }
}

async function whoami({ api, credential, output }: Run): Promise<void> {
  const found = await credential();
  const me = await (await api(found))('auth.me');
  output.result({ ...me, credential: found.source }, (paint) =>
    fields(
      [
        ['User name', me.username],
        ['Name', me.name],
        ['Email', me.email],
        ['Kind', me.kind],
        ['Signed in by', `${me.auth_method} (${me.provider})`],
        ['Credential', found.source],
        ['Client', me.client_id],
        ['Administrator', me.is_admin],
        ['Groups', me.groups.join(', ') || 'none'],
        ['Scopes', me.scopes.join(', ') || 'none'],
        ['Servers', me.accessible_servers.join(', ') || 'none'],
        ...Object.entries(me.ui_permissions).map(
          ([permission, names]) => [permission, (names ?? []).join(', ')] as const,
        ),
      ],
      paint,
    ),
  );
}
