import type { Endpoint, Permission } from '../../../contract/endpoint.ts';

/** Who may call an endpoint, in words. */
export function permissionInWords(permission: Permission): string {
  switch (permission) {
    case 'public':
      return 'anyone, without signing in';
    case 'identity':
      return 'anyone who has signed in or has a valid token';
    case 'session':
      return 'a browser session';
    case 'administrator':
      return 'administrators';
    default:
      return permission.on === 'path'
        ? `anyone with the permission \`${permission.can}\` for what the path names`
        : `anyone with the permission \`${permission.can}\``;
  }
}

/** A permission as one short word for tables. */
export function permissionInShort(permission: Permission): string {
  if (typeof permission === 'string') return permission;
  return `\`${permission.can}\`${permission.on === 'path' ? ' on it' : ''}`;
}

/** The credentials that an endpoint takes: a bearer token or the session's cookie, with the CSRF token for changes. */
export function securityOf({ permission, method }: Endpoint): Readonly<Record<string, never[]>>[] {
  if (permission === 'public') return [];
  const session: Record<string, never[]> = method === 'GET' ? { session: [] } : { session: [], csrf: [] };
  return permission === 'session' ? [session] : [{ bearer: [] }, session];
}
