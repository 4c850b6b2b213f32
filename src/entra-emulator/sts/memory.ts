import { randomBytes } from 'node:crypto';
import type { Platform } from './redirects.ts';

/** What a user signed in to and how; the cookie of the sign-in pages holds its key. */
export type Session = {
  sid: string;
  tenantId: string;
  userId: string;
  /** Time of the sign-in in seconds. */
  authTime: number;
  /** Applications that got a code in this session, for front-channel logout. */
  appIds: string[];
};

/** What a sign-in gave to a client, from which every later token of that client follows. */
export type UserGrant = {
  tenantId: string;
  appId: string;
  userId: string;
  sid: string;
  authTime: number;
  /** The scopes as they were asked for. */
  scope: string;
  amr: string[];
  nonce?: string;
  /** The `claims` parameter. */
  claims?: string;
};

/** A code between authorize and token endpoint; single use. */
export type AuthorizationCode = UserGrant & {
  redirectUri: string;
  challenge?: string;
  challengeMethod?: string;
  version: 1 | 2;
  resource?: string;
  expires: number;
  used: boolean;
};

/** A refresh token: bound to user and client, not to a resource. */
export type RefreshToken = UserGrant & { issued: number; expires: number; platform: Platform };

/** A device sign-in in progress. */
export type DeviceCode = {
  tenantId: string;
  appId: string;
  userCode: string;
  scope: string;
  expires: number;
  state: 'pending' | 'declined' | 'approved' | 'used';
  userId?: string;
  sid?: string;
  authTime?: number;
};

/** An opaque value that nobody can guess. */
export function opaque(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** Adds to a map of things that expire, and now and then takes out those whose time is long over. */
export function keep<T extends { expires: number }>(
  map: Map<string, T>,
  key: string,
  value: T,
  now: number,
): void {
  map.set(key, value);
  if (map.size % 256 !== 0) return;
  for (const [old, { expires }] of map) if (expires < now - 86_400_000) map.delete(old);
}
