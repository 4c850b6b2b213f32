import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name ?? '',
    { light: light ?? '', dark: dark ?? '' },
  ]),
);

/** Text on its background needs 4.5:1, the edge of a control 3:1 (WCAG 2.2, 1.4.3 and 1.4.11). */
const pairings: [foreground: string, backgrounds: string[], least: number][] = [
  [
    'ink',
    [
      'paper',
      'raised',
      'sunken',
      'hover',
      'side',
      'chosen',
      'accent-soft',
      'good-soft',
      'warn-soft',
      'bad-soft',
    ],
    7,
  ],
  ['quiet', ['paper', 'raised', 'sunken', 'hover', 'side', 'chosen'], 4.5],
  ['accent', ['paper', 'raised', 'sunken', 'hover', 'accent-soft'], 4.5],
  ['inverse', ['ink', 'bad', 'good'], 4.5],
  ['good', ['paper', 'raised', 'hover', 'good-soft'], 4.5],
  ['warn', ['paper', 'raised', 'hover', 'warn-soft'], 4.5],
  ['bad', ['paper', 'raised', 'hover', 'bad-soft'], 4.5],
  ...[1, 2, 3, 4, 5, 6].map((n): [string, string[], number] => [`on-tint-${n}`, [`tint-${n}`], 4.5]),
  ['edge', ['paper', 'raised', 'sunken', 'hover'], 3],
];

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  test.each(pairings)('%s is readable on %s', (foreground, backgrounds, least) => {
    for (const background of backgrounds) {
      const ratio = contrast(tokens.get(foreground)?.[theme] ?? '', tokens.get(background)?.[theme] ?? '');
      expect(ratio, `${foreground} on ${background}`).toBeGreaterThanOrEqual(least);
    }
  });
});
