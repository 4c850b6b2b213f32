import { createElement, Fragment, type ReactNode } from 'react';

const stored = 'mcp-gateway-language';

/** The languages that the pages can be read in, each in its own words. */
export const languages = { en: 'English', de: 'Deutsch' } as const;

/** One of the languages. */
export type Language = keyof typeof languages;

/** The language chosen on this device; English unless chosen. */
export const language: Language = chosenLanguage();

// A module of its own per language, so that nobody loads words that they do not read.
const translated: Readonly<Record<string, string>> = language === 'de' ? (await import('./de.ts')).de : {};

/**
 * A text of the pages in the language of the reader. The English text is the key; `{name}` in it is replaced by the value
 * of that name. A text that has no translation is shown in English.
 */
export function t(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return (translated[text] ?? text).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numbers.format(value) : value;
  });
}

/** As `t`, for a text with links or other elements in it: `parts('Ask {who}.', { who: <b>Eve</b> })`. */
export function parts(text: string, values: Readonly<Record<string, ReactNode>>): ReactNode {
  const pieces = (translated[text] ?? text).split(/\{(\w+)\}/);
  return createElement(
    Fragment,
    null,
    // The text between the names is at the even places.
    ...pieces.map((piece, index) => {
      const value = index % 2 === 0 ? piece : values[piece];
      return typeof value === 'number' ? numbers.format(value) : value;
    }),
  );
}

const numbers = new Intl.NumberFormat(language);
const plurals = new Intl.PluralRules(language);

/** A number as the reader writes it. */
export function number(value: number): string {
  return numbers.format(value);
}

/** A text that depends on how many there are: `count(2, '{n} server', '{n} servers')` is `2 servers`. */
export function count(n: number, one: string, other: string): string {
  return t(plurals.select(n) === 'one' ? one : other, { n });
}

/** Keeps a language on this device and loads the page again in it. */
export function chooseLanguage(chosen: Language): void {
  try {
    localStorage.setItem(stored, chosen);
  } catch {
    // Storage can be switched off; then the choice cannot be kept.
  }
  location.reload();
}

function chosenLanguage(): Language {
  try {
    return localStorage.getItem(stored) === 'de' ? 'de' : 'en';
  } catch {
    return 'en';
  }
}
