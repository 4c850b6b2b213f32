import { createHash, randomBytes } from 'node:crypto';
import type { CommandLine } from '../../contract/people/sign-in.ts';
import { openApi, tracedFetch } from '../api.ts';
import type { Run } from '../command.ts';
import { misuse, Trouble } from '../trouble.ts';
import { askToken, EntraRefusal, type EntraToken, postForm } from './entra-tokens.ts';
import { changeSignIn, type SignedIn } from './login-store.ts';
import { openLoopback } from './loopback.ts';

/** How long somebody may take to sign in at the browser, in milliseconds. */
const patience = 5 * 60_000;

/** The options of `login`. */
export interface LoginFlags {
  deviceCode?: boolean;
  /** At the identity provider itself, not at the gateway. */
  atProvider?: boolean;
  browser: boolean;
}

/** The action of `login`: signs in at the provider and keeps what commands need from then on. */
export async function login(run: Run, flags: LoginFlags): Promise<void> {
  const { registryUrl, terminal, output } = run;
  mustBePrivate('The registry', registryUrl);
  const how = await howToSignIn(run, flags);
  const asked = terminal.clock.now();
  const token = flags.deviceCode ? await byDeviceCode(run, how) : await byBrowser(run, how, flags);
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${token.access_token}` });
  // Asked before it is kept: a token that the registry refuses is of no use.
  const me = await (await openApi(registryUrl, headers, output.debug))('auth.me');
  const kept: SignedIn = {
    ...{ provider: how.provider, username: me.username, client_id: how.client_id },
    ...{ token_endpoint: how.token_endpoint, scope: how.scope, access_token: token.access_token },
    refresh_token: token.refresh_token ?? null,
    expires_at: new Date(asked + token.expires_in * 1000).toISOString(),
    ...(how.revocation_endpoint === undefined ? {} : { revocation_endpoint: how.revocation_endpoint }),
  };
  await changeSignIn(terminal, registryUrl, () => kept);
  const { username } = me;
  output.result({ registry_url: registryUrl, username, provider: how.provider }, () => '');
  output.note(`Signed in at ${registryUrl} as ${username}.`);
  if (kept.refresh_token === null)
    output.warn(`the sign-in ends at ${kept.expires_at}: it cannot be renewed`);
  const first = ['MCP_GATEWAY_TOKEN_FILE', 'MCP_GATEWAY_TOKEN'].find((name) => terminal.env[name]);
  if (first) output.warn(`${first} is set and takes precedence over this sign-in`);
}

async function howToSignIn({ registryUrl, output }: Run, { atProvider }: LoginFlags): Promise<CommandLine> {
  const anybody = await openApi(registryUrl, () => ({}), output.debug);
  const found = await anybody('auth.commandLine');
  const sign_in = atProvider ? found.provider_sign_in : found.sign_in;
  if (!sign_in)
    throw new Trouble(`The registry at ${registryUrl} has no public client for the command line.`, {
      remedy: atProvider
        ? 'Sign in without --at-provider; or its administrator names a public client in IDE_OAUTH_CLIENT_ID (docs/providers/entra.md).'
        : 'Its administrator names one in IDE_OAUTH_CLIENT_ID (docs/providers/entra.md). Until then, choose Get JWT Token in the web UI and pass the file with --token-file.',
    });
  for (const url of [
    sign_in.authorization_endpoint,
    sign_in.token_endpoint,
    sign_in.device_authorization_endpoint,
    ...(sign_in.revocation_endpoint === undefined ? [] : [sign_in.revocation_endpoint]),
  ])
    mustBePrivate(sign_in.provider === 'gateway' ? 'The registry' : 'The identity provider', url);
  return sign_in;
}

/** Tokens travel to these addresses: in the clear only within this machine. */
function mustBePrivate(what: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const here = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url?.hostname ?? '');
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && here)) return;
  throw misuse(`${what}'s address ${text} is not https://, so a sign-in there would not stay private.`);
}

/** Authorization code with PKCE at the browser of this machine (RFC 8252, RFC 7636). */
async function byBrowser(
  { terminal, output }: Run,
  how: CommandLine,
  { browser }: LoginFlags,
): Promise<EntraToken> {
  const [state, verifier] = [randomBytes(32).toString('base64url'), randomBytes(48).toString('base64url')];
  const loopback = await openLoopback(state);
  const done = new AbortController();
  try {
    const url = new URL(how.authorization_endpoint);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    for (const [name, value] of Object.entries({
      ...{ client_id: how.client_id, response_type: 'code', redirect_uri: loopback.redirectUri },
      ...{ scope: how.scope, state, code_challenge: challenge, code_challenge_method: 'S256' },
      // Whoever is signed in at the gateway is shown there, and asked.
      ...(how.provider === 'gateway' ? {} : { prompt: 'select_account' }),
    }))
      url.searchParams.set(name, value);
    output.note(`Sign in at ${url.host} with a browser on this machine:\n${url.href}`);
    if (browser) terminal.openUrl(url.href);
    const late = terminal.clock.pause(patience, done.signal).then(() => undefined);
    const answer = await Promise.race([loopback.answer, late]);
    if (!answer)
      throw new Trouble('No one signed in within 5 minutes.', {
        remedy: 'Where this machine has no browser, use: mcp-gateway auth login --device-code',
      });
    return await askToken(tracedFetch(output.debug), how.token_endpoint, {
      ...{ grant_type: 'authorization_code', client_id: how.client_id, code: codeIn(answer) },
      ...{ redirect_uri: loopback.redirectUri, code_verifier: verifier, scope: how.scope },
    });
  } finally {
    done.abort();
    loopback.close();
  }
}

function codeIn(answer: URLSearchParams): string {
  const code = answer.get('code');
  if (code && !answer.has('error')) return code;
  const { error, error_description } = Object.fromEntries(answer);
  throw new EntraRefusal({ error, error_description }, 400);
}

/** A code that is entered in a browser on any machine (RFC 8628). */
async function byDeviceCode({ terminal, output }: Run, how: CommandLine): Promise<EntraToken> {
  const { client_id, scope } = how;
  const send = tracedFetch(output.debug);
  const begun = await postForm(send, how.device_authorization_endpoint, { client_id, scope });
  const { device_code, user_code, verification_uri } = begun;
  if (![device_code, user_code, verification_uri].every((one) => typeof one === 'string'))
    throw new Trouble(`${new URL(how.device_authorization_endpoint).host} returned no code to sign in with.`);
  output.note(`Open ${verification_uri} in a browser and enter the code ${user_code}`);
  const until = terminal.clock.now() + Number(begun.expires_in ?? 900) * 1000;
  let every = Number(begun.interval ?? 5) * 1000;
  const form = {
    ...{ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id },
    device_code: String(device_code),
  };
  while (terminal.clock.now() < until) {
    await terminal.clock.pause(every);
    try {
      return await askToken(send, how.token_endpoint, form);
    } catch (error) {
      const code = error instanceof EntraRefusal ? error.error : '';
      if (code === 'slow_down') every += 5000;
      else if (code !== 'authorization_pending') throw error;
    }
  }
  throw new Trouble('The code expired before anyone signed in with it.', {
    remedy: 'Start again: mcp-gateway auth login --device-code',
  });
}
