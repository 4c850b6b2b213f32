import { createHash, randomBytes } from 'node:crypto';
import type { Finding } from '../../contract/diagnosis/doctor.ts';
import { type Ask, type Heard, Unreachable } from './ask.ts';
import type { Profile } from './profiles.ts';

/** The steps of a sign-in, in order. */
export type StepName = 'reach' | 'discovery' | 'metadata' | 'registration' | 'authorize' | 'token';

/** How one step went for a client. */
export interface Step {
  readonly step: StepName;
  /** `warn`: it works in another way, or not everywhere. After a `fail` the client goes no further. */
  readonly level: Finding['level'];
  /** What was found, in a sentence. */
  readonly what: string;
  /** What to do about it; null where there is nothing to do. */
  readonly remedy: string | null;
}

/** What came of playing one client. */
export interface Examined {
  readonly client: string;
  readonly title: string;
  readonly works: boolean;
  readonly steps: readonly Step[];
}

/** Ends the examination of a client: what was found is why it cannot sign in. */
class Fails extends Error {
  readonly remedy: string;
  constructor(what: string, remedy: string) {
    super(what);
    this.remedy = remedy;
  }
}

const publicUrl =
  'Set REGISTRY_URL to the address that people give their clients, character by character, and pass every path on.';
const passOn =
  'Let the proxy pass requests and responses of the gateway on as they are, with every path and header.';

/**
 * Plays a client's way to a token against the endpoint: discovery, registration, authorization request, token request. It
 * stops before a person would say yes, and sends a code that is none, so nothing is granted.
 */
export async function examine(endpoint: string, profile: Profile, ask: Ask): Promise<Examined> {
  const steps: Step[] = [];
  const take = async <T>(
    step: StepName,
    go: (warn: Warn) => Promise<{ what: string; value: T }>,
  ): Promise<T> => {
    const warnings: Step[] = [];
    const { what, value } = await go((found, remedy) => {
      warnings.push({ step, level: 'warn', what: found, remedy });
    }).catch((error: unknown) => {
      if (!(error instanceof Fails || error instanceof Unreachable)) throw error;
      steps.push(...warnings, { step, level: 'fail', what: error.message, remedy: error.remedy });
      throw new Stopped();
    });
    steps.push(...warnings, { step, level: 'ok', what, remedy: null });
    return value;
  };
  try {
    const challenge = await take('reach', (warn) => reach(endpoint, profile, ask, warn));
    const issuer = await take('discovery', (warn) => discover(endpoint, profile, challenge, ask, warn));
    const server = await take('metadata', (warn) => readMetadata(endpoint, issuer, profile, ask, warn));
    const clientId = await take('registration', (warn) => register(server, profile, ask, warn));
    const client = await take('authorize', (warn) =>
      authorize(endpoint, server, clientId, profile, ask, warn),
    );
    await take('token', () => redeem(endpoint, server, client, profile, ask));
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  const works = steps.every(({ level }) => level !== 'fail');
  return { client: profile.id, title: profile.title, works, steps };
}

class Stopped extends Error {}
type Warn = (what: string, remedy: string) => void;

/** The first request, without a token: it has to be refused in a way that says where to sign in. */
async function reach(endpoint: string, profile: Profile, ask: Ask, warn: Warn) {
  const { protocol, hostname, host } = new URL(endpoint);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (profile.isHosted && (protocol !== 'https:' || isHere))
    throw new Fails(
      `${profile.title} runs elsewhere and cannot reach ${protocol}//${host}.`,
      'Give the gateway a public https address, or leave this client out.',
    );
  if (protocol !== 'https:' && !isHere)
    warn(
      `${protocol}//${host} is not encrypted: many clients refuse it.`,
      'Put TLS in front of the gateway.',
    );
  const said = await ask(endpoint, initialize());
  if (said.status === 421) throw new Fails(`The gateway does not serve the host name ${host}.`, publicUrl);
  if (said.status !== 401)
    throw new Fails(
      `A request without a token gets status ${said.status}, not 401, so the client does not begin to sign in.`,
      said.status === 200 ? `Something before the gateway responds. ${passOn}` : passOn,
    );
  const wrong = await ask(endpoint, initialize({ authorization: 'Bearer not.a.token' }));
  const told = challengeOf(wrong);
  if (told !== undefined && !told.includes('error="invalid_token"'))
    throw new Fails(
      'The header Authorization does not reach the gateway: a wrong token looks like none.',
      passOn,
    );
  return { what: 'A request without a token is refused with 401.', value: challengeOf(said) };
}

function initialize(headers: Record<string, string> = {}): RequestInit {
  const clientInfo = { name: 'mcp-gateway-doctor', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  return {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  };
}

function challengeOf({ headers }: Heard): string | undefined {
  return headers.get('www-authenticate') ?? undefined;
}

/** From the refusal, or from the well-known address, to the name of the authorization server (RFC 9728). */
async function discover(
  endpoint: string,
  profile: Profile,
  challenge: string | undefined,
  ask: Ask,
  warn: Warn,
) {
  const { origin, pathname } = new URL(endpoint);
  if (profile.looksAtRoot) return { what: 'It checks the root of the address.', value: origin };
  const wellKnown = `${origin}/.well-known/oauth-protected-resource${pathname}`;
  const named = /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1];
  if (named === undefined)
    warn(
      'The header WWW-Authenticate is lost on the way, so only clients that know the well-known address can continue.',
      passOn,
    );
  else if (!URL.canParse(named) || new URL(named).origin !== origin)
    throw new Fails(
      `The refusal sends clients to ${named}, which is not at the address that they use.`,
      publicUrl,
    );
  for (const url of new Set([named ?? wellKnown, wellKnown])) {
    const { status, json } = await ask(url);
    if (status !== 200 || !json)
      throw new Fails(
        `${url} should be a JSON document and is status ${status}${json ? '' : ', no JSON'}.`,
        passOn,
      );
    const { resource, authorization_servers: servers } = json;
    const same = profile.isExact ? resource === endpoint : isWithin(String(resource), endpoint);
    if (!same)
      throw new Fails(
        `The gateway says that it is ${String(resource)}, and the client was given ${endpoint}: it stops there.`,
        publicUrl,
      );
    const [first] = Array.isArray(servers) ? (servers as unknown[]) : [];
    if (first !== origin)
      throw new Fails(`The authorization server is said to be ${String(first)}, not ${origin}.`, publicUrl);
  }
  return { what: `The gateway is the authorization server of ${endpoint}.`, value: origin };
}

/** The rule of the SDKs: the same origin, and the path of the resource is how the endpoint's begins. */
function isWithin(resource: string, endpoint: string): boolean {
  if (!URL.canParse(resource)) return false;
  const [a, b] = [new URL(resource), new URL(endpoint)];
  return a.origin === b.origin && b.pathname.startsWith(a.pathname);
}

/** The metadata (RFC 8414) as far as clients use it. */
interface Server {
  readonly authorize: string;
  readonly token: string;
  readonly register: string | undefined;
  readonly takesDocuments: boolean;
}

async function readMetadata(endpoint: string, issuer: string, profile: Profile, ask: Ask, warn: Warn) {
  const { origin, pathname } = new URL(endpoint);
  const at = `${issuer}/.well-known/oauth-authorization-server`;
  const said = await ask(at);
  if (said.status !== 200 || !said.json)
    throw new Fails(
      `${at} should be a JSON document and is status ${said.status}${said.json ? '' : ', no JSON'}.`,
      passOn,
    );
  const { json } = said;
  if (json.issuer !== issuer)
    throw new Fails(
      `The issuer is said to be ${String(json.issuer)}, not ${issuer}: clients refuse that.`,
      publicUrl,
    );
  const old = await ask(`${at}${pathname}`);
  if (old.json?.issuer !== issuer)
    warn(`${at}${pathname}, where clients of older revisions look, is status ${old.status}.`, passOn);
  const openid = await ask(`${issuer}/.well-known/openid-configuration`);
  if (openid.status === 200)
    throw new Fails(
      'Something responds at /.well-known/openid-configuration, and clients take that for OpenID Connect.',
      passOn,
    );
  const [authorizeAt, token, registerAt] = [
    json.authorization_endpoint,
    json.token_endpoint,
    json.registration_endpoint,
  ].map((one) => (typeof one === 'string' && URL.canParse(one) ? one : undefined));
  if (!authorizeAt || !token) throw new Fails('The metadata names no endpoints.', passOn);
  for (const url of [authorizeAt, token, registerAt])
    if (url !== undefined && new URL(url).origin !== origin)
      throw new Fails(`${url} is not at the address that clients use.`, publicUrl);
  if (profile.origin) await requireCors(profile.origin, [at, token], ask);
  const takesDocuments = json.client_id_metadata_document_supported === true;
  return {
    what: 'The metadata names endpoints at the same address.',
    value: { authorize: authorizeAt, token, register: registerAt, takesDocuments },
  };
}

async function requireCors(page: string, urls: readonly string[], ask: Ask): Promise<void> {
  for (const url of urls) {
    const headers = { origin: page, 'access-control-request-method': 'POST' };
    const allowed = (await ask(url, { method: 'OPTIONS', headers })).headers.get(
      'access-control-allow-origin',
    );
    if (allowed !== '*' && allowed !== page)
      throw new Fails(`${url} does not let pages of ${page} read it (CORS).`, passOn);
  }
}

/** The client's id: its document's URL where the gateway takes that, else that of a registration (RFC 7591). */
async function register({ register: at, takesDocuments }: Server, profile: Profile, ask: Ask, warn: Warn) {
  if (profile.document && takesDocuments)
    return { what: `It names itself by ${profile.document}.`, value: profile.document };
  if (at === undefined)
    throw new Fails(
      'The gateway lets no client register itself.',
      'Set OAUTH_CLIENT_REGISTRATION to open or approval, or set the client up with: mcp-gateway client create',
    );
  if (profile.document)
    warn(
      'The gateway accepts no client metadata documents, so each installation registers itself.',
      'Set OAUTH_CLIENT_DOCUMENTS to open, approval or known.',
    );
  return { what: 'It registers itself.', value: await registered(at, profile, ask) };
}

async function registered(at: string, { title, redirectUris }: Profile, ask: Ask): Promise<string> {
  const said = await ask(at, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: `${title} (mcp-gateway doctor)`,
      redirect_uris: redirectUris,
      ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
      token_endpoint_auth_method: 'none',
    }),
  });
  const id = said.json?.client_id;
  if (said.status === 201 && typeof id === 'string') return id;
  const why = said.json?.error_description ?? `status ${said.status}${said.json ? '' : ', no JSON'}`;
  throw new Fails(
    `Registering is refused: ${String(why)}`,
    said.status === 429
      ? 'Try again in an hour; behind a proxy set TRUSTED_PROXY_HOPS, so that clients can be distinguished.'
      : passOn,
  );
}

/** The authorization request has to lead to the consent page, with the cookie that it needs. */
async function authorize(
  endpoint: string,
  server: Server,
  clientId: string,
  profile: Profile,
  ask: Ask,
  warn: Warn,
): Promise<{ what: string; value: string }> {
  const url = new URL(server.authorize);
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  for (const [name, value] of Object.entries({
    ...{ client_id: clientId, response_type: 'code', redirect_uri: profile.comesBackTo, state: 'doctor' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    ...(profile.sendsNoResource ? {} : { resource: endpoint }),
  }))
    url.searchParams.set(name, value);
  const said = await ask(url.href);
  const to = said.headers.get('location');
  if (to === null && clientId === profile.document && server.register) {
    warn(
      `The gateway cannot read ${clientId}, so the client has to register itself instead.`,
      'Let the gateway reach that host over https (HTTPS_PROXY where there is a proxy), or set OAUTH_CLIENT_DOCUMENTS=known for the copies that it ships.',
    );
    const own = await registered(server.register, profile, ask);
    return authorize(endpoint, server, own, profile, ask, warn);
  }
  if (to === null)
    throw new Fails(
      clientId === profile.document
        ? `The gateway cannot read ${clientId}, and clients may not register themselves.`
        : `The authorization request is refused with status ${said.status}${reasonIn(said)}.`,
      clientId === profile.document
        ? 'Let the gateway reach that host over https, or set OAUTH_CLIENT_DOCUMENTS=known, or OAUTH_CLIENT_REGISTRATION=open.'
        : passOn,
    );
  const page = new URL(to, url);
  const error = page.searchParams.get('error');
  if (error)
    throw new Fails(
      `The authorization request is refused: ${error} ${page.searchParams.get('error_description') ?? ''}`.trim(),
      publicUrl,
    );
  if (page.origin !== url.origin)
    throw new Fails(`The authorization request leads to ${page.origin}, not to the consent page.`, publicUrl);
  const cookies = said.headers.getSetCookie().map((line) => line.split(';', 1)[0]);
  if (cookies.length === 0)
    throw new Fails(
      'The cookie of the sign-in is lost on the way, so the consent page cannot be shown.',
      passOn,
    );
  const consent = await ask(page.href, { headers: { cookie: cookies.join('; '), accept: 'text/html' } });
  if (consent.status === 403 && consent.text.includes('has to be approved'))
    warn(
      'An administrator has to approve it before anyone can sign in.',
      `mcp-gateway client approve ${clientId}`,
    );
  else if (consent.status !== 200)
    throw new Fails(`The consent page is refused with status ${consent.status}${reasonIn(consent)}.`, passOn);
  return { what: 'The authorization request leads to the consent page.', value: clientId };
}

function reasonIn({ json, text }: Heard): string {
  const said = json?.error_description ?? json?.error ?? /<code>([\w-]+)<\/code>/.exec(text)?.[1];
  return said === undefined ? '' : ` (${String(said)})`;
}

/** A code that is none: what counts is that the token endpoint says so itself, in JSON. */
async function redeem(endpoint: string, server: Server, clientId: string, profile: Profile, ask: Ask) {
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', client_id: clientId, code: 'a-code-of-the-doctor' },
    ...{ redirect_uri: profile.comesBackTo, code_verifier: 'x'.repeat(43) },
    ...(profile.sendsNoResource ? {} : { resource: endpoint }),
  });
  const said = await ask(server.token, { method: 'POST', body });
  if (said.json?.error !== 'invalid_grant')
    throw new Fails(
      `The token endpoint responds with status ${said.status}${reasonIn(said) || ' and not as an authorization server'}.`,
      passOn,
    );
  return {
    what: 'The token endpoint can be reached, and refuses a code that is not valid.',
    value: undefined,
  };
}
