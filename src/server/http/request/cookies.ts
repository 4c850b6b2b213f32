/** The cookies of a request by name; a malformed part is skipped. */
export function readCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0) cookies.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  return cookies;
}

/** A `Set-Cookie` value: HttpOnly, SameSite=Lax, whole site; `maxAge` 0 deletes. */
export function setCookie(name: string, value: string, options: { maxAge: number; secure: boolean }): string {
  return `${name}=${value}; Path=/; Max-Age=${options.maxAge}; HttpOnly; SameSite=Lax${options.secure ? '; Secure' : ''}`;
}

/** A cookie's name; over https its prefix forbids other hosts and paths to set it (RFC 6265bis, 4.1.3.2). */
export function hostCookieName(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name;
}

/** The session cookie's name. */
export function sessionCookieName(session: {
  readonly cookieName: string;
  readonly secure: boolean;
}): string {
  return hostCookieName(session.cookieName, session.secure);
}
