import { createHash, timingSafeEqual } from 'node:crypto';

/** A GUID (version 4 in form) that always comes out the same for the same words. */
export function guidFrom(...words: readonly string[]): string {
  const hex = createHash('sha256').update(words.join('\n')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** True for text in the form of a GUID. */
export function isGuid(value: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value);
}

/** The form in which secrets and passwords are kept. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Compares a presented secret with a kept hash in constant time. */
export function secretMatches(secret: string, hash: string | undefined): boolean {
  if (!hash) return false;
  return timingSafeEqual(Buffer.from(hashSecret(secret)), Buffer.from(hash));
}

/** Entra's rule for passwords: 8 to 256 characters of at least three of the four kinds. */
export function isStrong(password: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((kind) => kind.test(password)).length;
  return password.length >= 8 && password.length <= 256 && kinds >= 3;
}
