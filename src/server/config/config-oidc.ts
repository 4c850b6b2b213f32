import type { Setting } from './setting.ts';
import { type Reader, type SettingName, settings } from './settings.ts';

/** One identity provider that speaks generic OpenID Connect, with a way to its own settings. */
export interface OidcConfig {
  /** As in URLs and before the names of groups; for `oidc` that is OIDC_NAME. */
  readonly name: string;
  /** Which provider it is, as AUTH_PROVIDER says. */
  readonly kind: string;
  readonly redirectUris: readonly string[];
  readonly value: Reader['value'];
}

const rows = Object.entries(settings as Record<string, Setting<unknown>>).map(([name, row]) => ({
  ...{ name: name as SettingName, row },
}));

/** Every provider that AUTH_PROVIDER can name, by the settings that it has. */
export const knownProviders: readonly string[] = [
  'entra',
  ...new Set(rows.flatMap(({ row }) => row.provider ?? [])),
];

/** Words that begin groups of other kinds, so that no provider may be called so: app roles, and those of Google. */
const takenWords = ['role', 'domain', 'email', 'https', 'http', 'urn'];

/** A sentence where a provider is described and AUTH_PROVIDER, which would choose it, is left out. */
export function providerLeftOut(read: Pick<Reader, 'given'>): string[] {
  const described = knownProviders.find((name) =>
    read.given(`${name.toUpperCase()}_CLIENT_ID` as SettingName),
  );
  if (!described) return [];
  return [
    `${described.toUpperCase()}_CLIENT_ID is set but AUTH_PROVIDER is not, so this is the evaluation mode with its demo accounts. ` +
      `Set AUTH_PROVIDER=${described}, or EVALUATION=true where the evaluation mode is meant.`,
  ];
}

/** What AUTH_PROVIDER asks for, and the same by the names that the providers have here. */
export function providersIn(
  read: Reader,
  faults: string[],
): { asked: readonly string[]; providers: readonly string[] } {
  const given = read.value('AUTH_PROVIDER');
  if (given.length === 0)
    faults.push(
      'AUTH_PROVIDER: is not set; set AUTH_PROVIDER=entra and the ENTRA_ settings, or those of another provider, or start ' +
        'the evaluation mode with EVALUATION=true',
    );
  for (const name of new Set(given)) {
    if (!knownProviders.includes(name))
      faults.push(`AUTH_PROVIDER: '${name}' is not known; this version knows: ${knownProviders.join(', ')}`);
    if (given.filter((other) => other === name).length > 1)
      faults.push(`AUTH_PROVIDER: '${name}' is named twice; name each provider once`);
  }
  const asked = [...new Set(given)].filter((name) => knownProviders.includes(name));
  return { asked, providers: asked.map((kind) => nameOf(kind, read)) };
}

/** The settings of every asked provider but Entra ID; what is missing goes into `faults`, with where to find it. */
export function oidcOf(
  read: Reader,
  { authUrl, asked }: { authUrl: string; asked: readonly string[] },
  faults: string[],
): OidcConfig[] {
  return asked
    .filter((kind) => kind !== 'entra')
    .map((kind) => {
      for (const { name, row } of rows.filter((one) => one.row.provider === kind)) {
        const value = read.value(name);
        if (row.required && !read.given(name)) faults.push(`${name}: is missing; ${row.required}`);
        if (name.endsWith('_ENABLED') && value === false)
          faults.push(
            `${name}: is false although AUTH_PROVIDER names ${kind}; set it to true or leave ${kind} out there`,
          );
      }
      const name = nameOf(kind, read);
      if (
        kind === 'oidc' &&
        [...takenWords, ...knownProviders.filter((one) => one !== 'oidc')].includes(name)
      )
        faults.push(`OIDC_NAME: '${name}' means something else here; choose another name`);
      return { name, kind, redirectUris: [`${authUrl}/oauth2/callback/${name}`], value: read.value };
    });
}

function nameOf(kind: string, read: Reader): string {
  return kind === 'oidc' ? read.value('OIDC_NAME') : kind;
}
