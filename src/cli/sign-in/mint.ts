import { asApiTrouble, openApi, tracedFetch } from '../api.ts';
import type { Run } from '../command.ts';
import { allOf } from '../input/confirm.ts';
import { writeSecret } from '../input/write-secret.ts';
import { misuse, Trouble } from '../trouble.ts';
import { signIn } from './sign-in.ts';

/** The administrator among the demo accounts, and the password that all of them have. */
export const demoAccount = { name: 'alice', password: 'Emulator-demo-1' } as const;

interface TokenFlags {
  account: string;
  passwordStdin?: boolean;
  expiresInHours?: number;
  description?: string;
  scope?: string[];
  raw?: boolean;
  output?: string;
}

/** The action of `token`: signs in to a registry in evaluation mode and mints a personal token. */
export async function mintToken(run: Run, flags: TokenFlags): Promise<void> {
  const { output, registryUrl, terminal } = run;
  await mustBeEvaluation(run);
  const password = flags.passwordStdin ? await passwordFrom(terminal.stdin) : demoAccount.password;
  const account = { name: flags.account, password };
  const cookie = await signIn(registryUrl, account, tracedFetch(output.debug)).catch((error) => {
    throw asApiTrouble(error, registryUrl);
  });
  const session = await openApi(
    registryUrl,
    () => ({ cookie, origin: new URL(registryUrl).origin }),
    output.debug,
  );
  const { csrf_token, username } = await session('auth.me');
  const minted = await session('tokens.generate', {
    headers: { 'x-csrf-token': csrf_token ?? '' },
    body: {
      ...(flags.scope ? { requested_scopes: flags.scope } : {}),
      ...(flags.expiresInHours === undefined ? {} : { expires_in_hours: flags.expiresInHours }),
      ...(flags.description === undefined ? {} : { description: flags.description }),
    },
  });
  const { access_token } = minted.tokens;
  const text = flags.raw ? access_token : JSON.stringify(minted, null, 2);
  if (flags.output === undefined) {
    if (flags.raw) {
      terminal.stdout.write(`${access_token}\n`);
      return;
    }
    // The answer as it is, with --json and without: it is what --token-file reads.
    output.result(minted, () => text);
    return;
  }
  await writeSecret(terminal.cwd, flags.output, `${text}\n`);
  const { token_id, expires_at } = minted;
  output.result({ file: flags.output, token_id, username, expires_at }, () => '');
  output.note(`Wrote a token of ${username}, valid until ${expires_at}, to ${flags.output}.`);
}

async function mustBeEvaluation({ registryUrl, output }: Run): Promise<void> {
  const anybody = await openApi(registryUrl, () => ({}), output.debug);
  const { evaluation } = await anybody('auth.providers');
  if (evaluation) return;
  throw new Trouble(
    `The registry at ${registryUrl} is not in evaluation mode, so it has no demo account to sign in with.`,
    {
      remedy: `Sign in at ${registryUrl} with a browser, choose Get JWT Token, save it to a file and pass it with --token-file.`,
    },
  );
}

async function passwordFrom(stdin: Run['terminal']['stdin']): Promise<string> {
  const password = (await allOf(stdin)).replace(/\r?\n$/, '');
  if (!password) throw misuse('Standard input held no password.');
  return password;
}
