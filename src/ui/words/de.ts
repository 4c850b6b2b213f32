/** German, by the English text. */
export const de: Readonly<Record<string, string>> = {};
