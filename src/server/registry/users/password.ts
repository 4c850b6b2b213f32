import { randomInt } from 'node:crypto';

/** Without the letters and digits that are taken for each other. */
const kinds = ['abcdefghijkmnpqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-_.+=%'];
const length = 20;

/** A password of 20 characters with some of each kind that directories ask for: lower, upper, digits, signs. */
export function newPassword(): string {
  const all = kinds.join('');
  const characters = Array.from({ length }, (_, at) => oneOf(kinds[at] ?? all));
  // Fisher and Yates, so that the kinds stand anywhere.
  for (let at = length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [characters[at], characters[other]] = [characters[other] ?? '', characters[at] ?? ''];
  }
  return characters.join('');
}

function oneOf(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}
