import type { AuthScheme } from '../../contract/servers/server-credentials.ts';
import type { Run } from '../command.ts';
import { misuse } from '../trouble.ts';
import { allOf } from './confirm.ts';

/** The options of `server-update-credential`. */
export interface CredentialFlags {
  path: string;
  authScheme: AuthScheme;
  credential?: string;
  credentialStdin?: boolean;
  authHeaderName?: string;
  customHeader?: string[];
}

/** The action of `server-update-credential`: sets what the gateway proves itself to a server with. */
export async function updateCredential(
  { api, output, terminal }: Run,
  flags: CredentialFlags,
): Promise<void> {
  const custom_headers = flags.customHeader?.map(headerOf);
  if (flags.credential !== undefined && flags.credentialStdin)
    throw misuse('Give the credential with --credential or on standard input, not both.');
  if (flags.credential !== undefined)
    output.warn('--credential is visible to others on this machine; --credential-stdin is not');
  const credential = flags.credentialStdin ? (await allOf(terminal.stdin)).trim() : flags.credential;
  if (credential === '')
    throw misuse(
      'Standard input holds no credential.',
      'Pipe it in, for instance from a file: < credential.',
    );
  const server = await (await api())('servers.credential', {
    params: { path: flags.path },
    body: {
      auth_scheme: flags.authScheme,
      ...(credential === undefined ? {} : { auth_credential: credential }),
      ...(flags.authHeaderName === undefined ? {} : { auth_header_name: flags.authHeaderName }),
      ...(custom_headers === undefined ? {} : { custom_headers }),
    },
  });
  const names = [server.auth_header_name, ...server.custom_header_names].filter((name) => name !== null);
  output.result(server, () =>
    names.length > 0
      ? `${server.path}: the gateway sends ${names.join(', ')} with every request.`
      : `${server.path}: the gateway sends no credential.`,
  );
  if (!output.json && server.is_enabled && server.health_status !== 'healthy')
    output.warn(`the server is ${server.health_status}. ${server.health_detail ?? ''}`.trim());
}

function headerOf(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  // The text may hold a secret, so it is not repeated here.
  if (at < 1) throw misuse('A custom header is not written as NAME=VALUE.');
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}
