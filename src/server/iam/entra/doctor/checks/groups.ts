import { Failure } from '../../../../failure/errors.ts';
import { type Check, isKnown, not, setupCommand, well } from '../check.ts';
import type { MappedGroup } from '../facts.ts';

const group = 'Groups';

/** Whether the mapped groups exist and somebody is in them. */
export const groupChecks: readonly Check[] = [
  {
    id: 'mapped-groups',
    group,
    why: 'Only members of a mapped group have access, and Object IDs are easily copied wrong.',
    run({ groups, mapped }) {
      if (mapped.size === 0)
        return not(
          'fail',
          'No group is mapped, so no one has access.',
          'Microsoft Entra ID > Groups > the group > Overview > Object Id: map it in scopes.yml or set ENTRA_GROUP_ADMIN_ID (guide, step 9)',
          'az ad group list --query "[].{name:displayName,id:id}" --output table',
        );
      if (groups instanceof Failure)
        return not(
          'warn',
          `The mapped groups cannot be looked up. ${groups.message}`,
          'API permissions > Microsoft Graph > Application > Directory.Read.All, then Grant admin consent',
          setupCommand,
        );
      if (!groups) return undefined;
      return (
        missing(groups) ?? unfit(groups) ?? well(`The mapped groups exist: ${groups.map(named).join(', ')}.`)
      );
    },
  },
  {
    id: 'group-names',
    group,
    why: 'Tokens of Entra ID name groups by Object ID: no one is in a group that is mapped by its name.',
    run({ names }) {
      if (names.length === 0) return undefined;
      return not(
        'warn',
        `scopes.yml maps ${names.map((name) => `'${name}'`).join(', ')}, which no token names.`,
        'Microsoft Entra ID > Groups > the group > Overview > Object Id: put it in place of the name (guide, step 9)',
        'az ad group list --query "[].{name:displayName,id:id}" --output table',
      );
    },
  },
  {
    id: 'administrators',
    group,
    why: 'Someone has to be able to administer the gateway.',
    run({ groups, config }) {
      if (!isKnown(groups)) return undefined;
      const named = groups.filter(({ id }) => id === config.groupAdminId);
      const candidates = named.length > 0 ? named : groups;
      const [first] = candidates;
      if (!first?.found) return undefined;
      const some = candidates.find(({ hasMembers }) => hasMembers);
      if (some) return well(`'${some.found?.displayName ?? some.id}' has members.`);
      return not(
        'fail',
        `No one is in '${first.found.displayName}'.`,
        `Microsoft Entra ID > Groups > ${first.found.displayName} > Members > Add members (guide, step 10)`,
        `az ad group member add --group ${first.id} --member-id <Object Id of a person>`,
      );
    },
  },
];

function missing(groups: readonly MappedGroup[]) {
  const absent = groups.filter(({ found }) => !found);
  if (absent.length === 0) return undefined;
  return not(
    'fail',
    `The directory has no group ${absent.map(({ id, mappedBy }) => `${id} (${mappedBy})`).join(', ')}.`,
    'Microsoft Entra ID > Groups > the group > Overview: compare the Object Id (guide, step 9)',
    'az ad group list --query "[].{name:displayName,id:id}" --output table',
  );
}

function unfit(groups: readonly MappedGroup[]) {
  const wrong = groups.filter(({ found }) => found?.securityEnabled === false);
  if (wrong.length === 0) return undefined;
  return not(
    'fail',
    `These are no security groups, so tokens do not list them: ${wrong.map(named).join(', ')}.`,
    'Microsoft Entra ID > Groups > New group, type Security (guide, step 8)',
    'az ad group create --display-name <name> --mail-nickname <name>',
  );
}

function named({ found, id, hasMembers }: MappedGroup): string {
  return `'${found?.displayName ?? id}'${hasMembers ? '' : ' (nobody in it yet)'}`;
}
