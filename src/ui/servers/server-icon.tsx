const tints = ['tint-1', 'tint-2', 'tint-3', 'tint-4', 'tint-5', 'tint-6'] as const;

/** A tile with the first letters of a name, in a colour that stays the same for the name. */
export function NameTile({ name, size = 'md' }: { name: string; size?: 'md' | 'lg' }) {
  const words = name
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ');
  const letters = [...(words[0] ?? '?')][0] + (words[1] ? ([...words[1]][0] ?? '') : '');
  const tint =
    tints[[...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % 6];
  return (
    <span
      aria-hidden
      className={`${tint} grid shrink-0 place-items-center rounded-md font-semibold uppercase ${size === 'lg' ? 'size-11 text-lead' : 'size-8 text-meta'}`}
    >
      {letters}
    </span>
  );
}
