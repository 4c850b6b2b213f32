/** Schemes of known programs; any other private scheme has to be a reversed domain name (RFC 8252, section 7.1). */
const knownSchemes: ReadonlySet<string> = new Set([
  'cursor:',
  'vscode:',
  'vscode-insiders:',
  'windsurf:',
  'zed:',
  'warp:',
  'raycast:',
]);
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Where codes are sent: to a web site, to a program on the person's own computer, or to the program of a scheme. */
export type RedirectKind = 'https' | 'loopback' | 'scheme';

/** What kind of redirect URI it is; undefined for one that nobody may register. */
function redirectKindOf(uri: string): RedirectKind | undefined {
  if (uri.length > 500 || /[\s*\\]/.test(uri) || uri.includes('#') || !URL.canParse(uri)) return undefined;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username || password) return undefined;
  const isLoopback = loopbackHosts.has(hostname);
  if (protocol === 'https:') return isLoopback ? undefined : 'https';
  if (protocol === 'http:') return isLoopback ? 'loopback' : undefined;
  return knownSchemes.has(protocol) || /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(protocol)
    ? 'scheme'
    : undefined;
}

/** Why a list of redirect URIs cannot be registered, in a sentence with the remedy; undefined when it can. */
export function faultOfRedirects(uris: unknown): string | undefined {
  if (!Array.isArray(uris) || uris.length === 0) return 'redirect_uris must name at least one URI.';
  if (uris.length > 20) return 'redirect_uris may name 20 URIs at most.';
  const bad = uris.find((uri) => typeof uri !== 'string' || !redirectKindOf(uri));
  if (bad === undefined) return undefined;
  return `The redirect URI '${String(bad).slice(0, 200)}' cannot be used: it must be https, http on localhost, 127.0.0.1 or [::1], or a private scheme such as com.example.app:/callback, without fragment, user or wildcard.`;
}

/** Who receives the code, as the consent page anchors its trust: a host name, this computer, or the program of a scheme. */
export function receiverOf(uri: string): { readonly kind: RedirectKind; readonly name: string } {
  const kind = redirectKindOf(uri) ?? 'https';
  const { protocol, host } = new URL(uri);
  if (kind === 'loopback') return { kind, name: 'this computer' };
  return { kind, name: kind === 'scheme' ? `${protocol}//` : host };
}

/**
 * Whether a code would be sent to the gateway itself, however its host is spelt and whatever its port: people trust that
 * name, and its pages are not made for codes. On this computer other ports are other programs.
 */
export function leadsHere(uri: string, issuer: string): boolean {
  if (!URL.canParse(uri)) return false;
  const [to, own] = [new URL(uri), new URL(issuer)];
  const [name, ownName] = [to, own].map(({ hostname }) => hostname.replace(/\.$/, ''));
  if (loopbackHosts.has(own.hostname)) return loopbackHosts.has(name ?? '') && to.port === own.port;
  return name === ownName;
}
