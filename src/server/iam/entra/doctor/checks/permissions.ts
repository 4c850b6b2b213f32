import { Failure } from '../../../../failure/errors.ts';
import { applicationPermissions, delegatedPermissions, narrowPermissions } from '../../needs.ts';
import { graphAppId } from '../../objects.ts';
import { type Check, isKnown, not, registrationPage, well } from '../check.ts';
import type { Facts } from '../facts.ts';

const group = 'Permissions';
const consentPage = registrationPage('API permissions > Grant admin consent (guide, step 5)');

/** Whether the permissions are asked for and consented to. */
export const permissionChecks: readonly Check[] = [
  {
    id: 'delegated-permissions',
    group,
    why: 'They are what Microsoft asks people to consent to at their first sign-in.',
    run(facts) {
      const { application, graphPrincipal } = facts;
      if (!isKnown(application) || !isKnown(graphPrincipal)) return undefined;
      const asked = application.requiredResourceAccess
        .filter(({ resourceAppId }) => resourceAppId === graphAppId)
        .flatMap(({ resourceAccess }) => resourceAccess.map(({ id }) => id));
      const missing = essential.filter((value) => {
        const scope = graphPrincipal.oauth2PermissionScopes.find((one) => one.value === value);
        return scope && !asked.includes(scope.id);
      });
      if (missing.length === 0) return well(`The registration asks for ${essential.join(', ')}.`);
      return not(
        'warn',
        `The registration does not list ${missing.join(', ')} of Microsoft Graph.`,
        registrationPage(
          `API permissions > Microsoft Graph > Delegated > ${missing.join(', ')} (guide, step 5)`,
        ),
        permissionCommand(facts, missing),
      );
    },
  },
  {
    id: 'admin-consent',
    group,
    why: 'Where users may not consent themselves, no one gets in without it (AADSTS65001, AADSTS90094).',
    run({ config, consented }) {
      if (consented === undefined) return undefined;
      const command = `az ad app permission admin-consent --id ${config.clientId}`;
      if (consented instanceof Failure)
        return not(
          'warn',
          `Whether an administrator has consented cannot be seen. ${consented.message}`,
          consentPage,
          command,
        );
      const missing = essential.filter((value) => !consented.includes(value));
      if (missing.length === 0) return well('An administrator has consented for everyone.');
      return not('fail', `No one has consented to ${missing.join(', ')} for everyone.`, consentPage, command);
    },
  },
  {
    id: 'graph-permissions',
    group,
    why: 'The gateway reads groups itself when there are too many for a token, and those of agents.',
    run(facts) {
      const { roles } = facts;
      if (!isKnown(roles)) return undefined;
      const has = (wanted: readonly string[]) => wanted.every((value) => roles.includes(value));
      if (has(applicationPermissions) || has(narrowPermissions))
        return well(`The gateway may read the directory (${roles.join(', ')}).`);
      return not(
        'warn',
        `The gateway may not read the directory; it has ${roles.join(', ') || 'no application permission'}.`,
        registrationPage(
          `API permissions > Microsoft Graph > Application > ${applicationPermissions.join(', ')}, then Grant admin consent`,
        ),
        permissionCommand(facts, applicationPermissions, 'Role'),
      );
    },
  },
];

/** The portal adds `openid` silently, and without `offline_access` people merely sign in more often. */
const essential = delegatedPermissions.filter((value) => value !== 'offline_access' && value !== 'openid');

function permissionCommand(
  { config, graphPrincipal }: Facts,
  values: readonly string[],
  type: 'Scope' | 'Role' = 'Scope',
): string {
  const offered = isKnown(graphPrincipal)
    ? type === 'Scope'
      ? graphPrincipal.oauth2PermissionScopes
      : graphPrincipal.appRoles
    : [];
  const ids = values.map((value) => `${offered.find((one) => one.value === value)?.id ?? value}=${type}`);
  return `az ad app permission add --id ${config.clientId} --api ${graphAppId} --api-permissions ${ids.join(' ')}`;
}
