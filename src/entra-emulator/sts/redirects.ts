import type { Application } from '../tenant/model.ts';

/** The platform a redirect URI is registered under; it decides how its codes are redeemed. */
export type Platform = 'web' | 'spa' | 'public';

/** The platform of a redirect URI, or undefined when it is not registered. */
export function platformOf(application: Application, uri: string): Platform | undefined {
  const among = (registered: readonly string[]) => registered.some((candidate) => matches(candidate, uri));
  if (among(application.web.redirectUris)) return 'web';
  if (among(application.spa.redirectUris)) return 'spa';
  return among(application.publicClient.redirectUris) ? 'public' : undefined;
}

/** True for a registration that may use flows without a secret. */
export function isPublic(application: Application): boolean {
  return application.isFallbackPublicClient === true || application.publicClient.redirectUris.length > 0;
}

/** Exact and case-sensitive, but for the port on a loopback host (RFC 8252 section 7.3); `[::1]` is not one. */
function matches(registered: string, uri: string): boolean {
  if (registered === uri) return true;
  const [one, other] = [parsed(registered), parsed(uri)];
  if (!one || !other || !['localhost', '127.0.0.1'].includes(one.hostname)) return false;
  const rest = (url: URL) => `${url.protocol}//${url.hostname}${url.pathname}${url.search}`;
  return rest(one) === rest(other) && !other.hash && !other.username;
}

function parsed(uri: string): URL | undefined {
  return URL.canParse(uri) ? new URL(uri) : undefined;
}
