import { readFileSync } from 'node:fs';

/**
 * Words that give away another language put into English, each with what a native engineer would write. They are refused in
 * the pages, in what the command line and the web interface say, and in the messages of the API.
 */
export const words: readonly (readonly [pattern: RegExp, better: string])[] = [
  [/\b[Nn]obody\b/, 'no one'],
  [/\b[Ss]omebody\b/, 'someone'],
  [/\b[Aa]nybody\b/, 'anyone'],
  [/\b[Ww]hoever\b/, 'anyone who, the person who'],
  [/\b[Ee]verybody\b/, 'everyone'],
  [/\bin force\b/, 'active, in effect'],
  [/\bat hand\b/, 'available'],
  [/\bto the letter\b/, 'exactly'],
  [/\b[Gg]o(?:es)? on\b(?! to\b)/, 'continues'],
  [/\b[Ss]witch(?:ed)? (?:on|off)\b/, 'enable, disable'],
  [/\bas ever\b/, 'as before'],
  [/\bof before\b/, 'previous, earlier'],
  [/\bprov(?:e|es|ed|ing) (?:itself|himself|themselves)\b|\b[Pp]roved by\b/, 'authenticates'],
  [/\b[Hh]eld by\b/, 'assigned to'],
  [/\banew\b/, 'again, re-'],
  [/\bmeanwhile\b/, 'in the meantime'],
  [/\bremed(?:y|ies)\b/, 'fix'],
  [/\b(?:tells?|told)\b(?! (?:you|them|people|clients|agents)\b)/, 'shows, says, returns'],
  [/\bgoes before\b/, 'takes precedence over'],
  [/\b(?:has|have|had|with|without) (?:a |an |no |several )?faults?\b/, 'is not valid, has errors'],
  [/\bwhat one\b/, 'what you, what the gateway'],
  [/\b(?:was|were|is|are) so already\b/, 'is already up to date'],
  [/\b[Ss]ay --/, 'add --'],
  [/\b[Mm]ade (?:in|at) the directory\b|\b[Mm]ake a group\b/, 'create'],
  [/\bmay see\b/, 'can see'],
];

/** Prose of a Markdown page: without code, addresses of links and comments. */
export function proseOf(file: string): string {
  return blank(readFileSync(file, 'utf8'), /^```[\s\S]*?^```|<!--[\s\S]*?-->|`[^`\n]*`|\]\([^)]*\)/gm);
}

/** The sentences in a source file: text in quotes, templates and JSX that has a space in it. */
export function sentencesOf(file: string): { readonly line: number; readonly text: string }[] {
  const code = blank(readFileSync(file, 'utf8'), /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm);
  const literals = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`|>([^<>{}=;]{12,})</g;
  return [...code.matchAll(literals)]
    .map((match) => ({
      line: code.slice(0, match.index).split('\n').length,
      text: (match.slice(1).find((group) => group !== undefined) ?? '')
        .replace(/\$\{[^}]*\}/g, 'X')
        .replace(/\\`[^`]*\\`/g, 'X'),
    }))
    .filter(({ text }) => text.trim().includes(' '));
}

function blank(text: string, what: RegExp): string {
  return text.replace(what, (found) => found.replace(/[^\n]/g, ' '));
}

/** What of the words is in a text, as `file:line: word (better: ...)`. */
export function unnative(file: string, text: string, firstLine = 1): string[] {
  return words.flatMap(([pattern, better]) =>
    [...text.matchAll(new RegExp(pattern, 'g'))].map(
      ({ 0: found, index }) =>
        `${file}:${firstLine + text.slice(0, index).split('\n').length - 1}: '${found}' (better: ${better})`,
    ),
  );
}
