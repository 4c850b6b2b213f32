import type { SettingInForce } from '../../contract/system.ts';
import type { Setting } from './setting.ts';
import { entraSettings } from './settings-entra.ts';

/** What the environment may have that is none of the settings and yet like one: read elsewhere, or by other programs. */
const notMeant: ReadonlySet<string> = new Set([
  ...[
    'KEYCLOAK_SETUP_CLIENT_ID',
    'KEYCLOAK_SETUP_CLIENT_SECRET',
    'MCP_GATEWAY_TOKEN',
    'MCP_GATEWAY_TOKEN_FILE',
  ],
  ...['FTP_PROXY', 'ALL_PROXY', 'HOME', 'HOSTNAME', 'DATABASE_PASSWORD'],
]);

/**
 * A sentence for each variable that looks like a setting and is none, with the name that may be meant. `providers` are those
 * of AUTH_PROVIDER: a variable that begins with the name of one is meant for it, however it goes on.
 */
export function misspelledSettings(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  providers: readonly string[],
): string[] {
  const names = new Set(known);
  const prefixes = providers.map((provider) => `${provider.toUpperCase()}_`);
  return Object.keys(environment)
    .filter((name) => /^[A-Z][A-Z0-9_]*$/.test(name) && !names.has(name) && !notMeant.has(name))
    .flatMap((name) => {
      const meant = nearest(name, known);
      if (meant) return `${name} is not a setting and has no effect; did you mean ${meant}?`;
      return prefixes.some((prefix) => name.startsWith(prefix))
        ? `${name} is not a setting and has no effect; docs/reference/settings.md lists them`
        : [];
    });
}

/** The setting that a name is a slip of the pen away from: a letter or two, a missing line between words, words in another order. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const words = sortedWords(name);
  const reordered = known.find((one) => name.split('_').length > 2 && sortedWords(one) === words);
  if (reordered) return reordered;
  const most = name.length < 8 ? 1 : 2;
  const found = known
    .filter((one) => Math.abs(one.length - name.length) <= most && one.length > 4)
    .map((one) => ({ one, far: distance(name, one) }))
    .toSorted((a, b) => a.far - b.far)[0];
  return found && found.far <= most ? found.one : undefined;
}

function sortedWords(name: string): string {
  return name.split('_').toSorted().join('_');
}

/** Levenshtein's distance, in which two letters in the wrong order count once. */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + same,
        swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/**
 * What a table of settings comes to: each with its text and where that is from, in the order of the table. Those of
 * providers that are not `asked` for have no effect and are left out. Secrets only say whether they are set.
 */
export function settingsInForce(
  table: Readonly<Record<string, Setting<unknown>>>,
  environment: Readonly<Record<string, string | undefined>>,
  asked: readonly string[],
): SettingInForce[] {
  return Object.entries(table)
    .filter(([name, row]) => {
      const owner = ownerOf(name, row);
      return owner === undefined || asked.includes(owner);
    })
    .map(([name, row]) => {
      const given = environment[name]?.trim() ?? '';
      const { group, about } = row;
      return {
        ...{ name, group, about, source: given === '' ? 'default' : 'environment' },
        secret: isSecret(row, given),
        value: isSecret(row, given) ? null : given || row.default || null,
        default_note: row.defaultNote ?? null,
      };
    });
}

function ownerOf(name: string, row: Setting<unknown>): string | undefined {
  return name in entraSettings ? 'entra' : row.provider;
}

/** Whatever a setting is for, a URL with a user name in it usually has a password there too. */
function isSecret(row: Setting<unknown>, text: string): boolean {
  return row.secret === true || /:\/\/[^/?#]*@/.test(text);
}
