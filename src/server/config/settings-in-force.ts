import type { SettingInForce } from '../../contract/system.ts';
import type { Setting } from './setting.ts';
import { entraSettings } from './settings-entra.ts';

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
