import { aadstsCodeIn, aadstsHelpIn, aadstsLine } from '../../contract/diagnosis/aadsts.ts';
import { misuse, Trouble } from '../trouble.ts';

/** Where people and agents of the public cloud get their tokens. */
const publicLoginUrl = 'https://login.microsoftonline.com';
/** How long the token endpoint may take, in milliseconds. */
const patience = 30_000;

/** What the token endpoint answers. */
export interface EntraToken {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token?: string;
}

/** The login host of the settings, without a slash at its end; secrets travel to it, so it is https or this machine. */
export function loginUrlOf(text: string | undefined, name: string): string {
  const url = URL.canParse(text ?? publicLoginUrl) ? new URL(text ?? publicLoginUrl) : undefined;
  const here = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url?.hostname ?? '');
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && here))
    throw misuse(`${name} must be an https:// URL: secrets are sent there.`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** The URL of an endpoint of a tenant, such as `token`. */
export function endpointOf(loginUrl: string, tenant: string, endpoint: string): string {
  return `${loginUrl}/${encodeURIComponent(tenant)}/oauth2/v2.0/${endpoint}`;
}

/** A refusal of Entra ID: `error` is its OAuth code, `aadsts` its own. */
export class EntraRefusal extends Trouble {
  readonly error: string;
  readonly aadsts: number | undefined;
  constructor(answer: Record<string, unknown>, status: number) {
    const said = typeof answer.error_description === 'string' ? answer.error_description : '';
    const help = aadstsHelpIn(answer);
    const words = (said.split(/\r?\n| Trace ID:/)[0] ?? '').slice(0, 400);
    super(help ? aadstsLine(help) : words || `The sign-in was refused (${answer.error ?? status}).`, {
      status,
    });
    this.error = typeof answer.error === 'string' ? answer.error : '';
    this.aadsts = aadstsCodeIn(answer);
  }
}

/** Posts a form to Entra ID and resolves with the JSON object of its answer; throws EntraRefusal or a trouble. */
export async function postForm(
  send: typeof fetch,
  url: string,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  const { host } = new URL(url);
  // A redirect would carry the secret somewhere else.
  const response = await send(url, {
    ...{ method: 'POST', redirect: 'error', body: new URLSearchParams(form) },
    ...{ headers: { accept: 'application/json' }, signal: AbortSignal.timeout(patience) },
  }).catch((cause: Error) => {
    const late = cause.name === 'TimeoutError';
    const why = late ? `gave no answer within ${patience / 1000} seconds` : 'could not be reached';
    throw new Trouble(`${host} ${why}.`, {
      cause,
      remedy: 'Check the network, and with Entra ID the setting ENTRA_LOGIN_BASE_URL.',
    });
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (typeof answer !== 'object' || answer === null)
    throw new Trouble(`${host} answered ${response.status} without saying why.`, {
      remedy: 'Check its address; with Entra ID, that ENTRA_LOGIN_BASE_URL is the login host of your cloud.',
    });
  if (!response.ok) throw new EntraRefusal(answer as Record<string, unknown>, response.status);
  return answer as Record<string, unknown>;
}

/** Asks the token endpoint with a form; throws EntraRefusal or a trouble when there is no token in its answer. */
export async function askToken(
  send: typeof fetch,
  url: string,
  form: Record<string, string>,
): Promise<EntraToken> {
  const { access_token, token_type, expires_in, refresh_token } = await postForm(send, url, form);
  const seconds = Number(expires_in);
  if (typeof access_token !== 'string' || access_token === '' || !(seconds > 0))
    throw new Trouble(`${new URL(url).host} answered without an access token.`);
  return {
    access_token,
    token_type: typeof token_type === 'string' ? token_type : 'Bearer',
    expires_in: seconds,
    ...(typeof refresh_token === 'string' ? { refresh_token } : {}),
  };
}
