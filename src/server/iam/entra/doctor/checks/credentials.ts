import { aadstsCodeIn } from '../../../../../contract/aadsts.ts';
import { Failure } from '../../../../errors.ts';
import type { Application } from '../../objects.ts';
import { type Check, isKnown, not, registrationPage, well } from '../check.ts';

const group = 'Credentials';
const day = 86_400_000;
/** Days before its end from which a secret is spoken of. */
const warnDays = 30;

/** Whether the gateway can authenticate, and for how long. */
export const credentialChecks: readonly Check[] = [
  {
    id: 'secret',
    group,
    why: 'Without a valid credential nobody can sign in.',
    run({ config, roles }) {
      if (roles === undefined) return undefined;
      if (!(roles instanceof Failure)) return well('Entra ID accepts the client id and its credential.');
      const portals: Record<number, string> = {
        700016: registrationPage('Overview: compare ENTRA_CLIENT_ID and ENTRA_TENANT_ID (guide, step 2)'),
        700038: registrationPage('Overview: copy Application (client) ID (guide, step 2)'),
        7000112: 'Enterprise applications > the application > Properties > Enabled for users to sign-in: Yes',
      };
      return not(
        'fail',
        `Entra ID refuses the gateway. ${roles.message}`,
        portals[aadstsCodeIn(roles.message) ?? 0] ??
          registrationPage('Certificates & secrets > New client secret, copy the Value (guide, step 3)'),
        `az ad app credential reset --id ${config.clientId} --append --display-name mcp-gateway-auth`,
      );
    },
  },
  {
    id: 'secret-expiry',
    group,
    why: 'On the day that the secret expires all sign-ins stop (AADSTS7000222).',
    run({ config, application, now }) {
      if (!isKnown(application)) return undefined;
      const secret = secretInUse(application, config.clientSecret);
      if (!secret) return undefined;
      const days = Math.floor((Date.parse(secret.endDateTime) - now) / day);
      const until = `The client secret is valid for ${days} more day${days === 1 ? '' : 's'}, until ${secret.endDateTime.slice(0, 10)}`;
      if (days > warnDays) return well(`${until}.`);
      return not(
        'warn',
        `${until}.`,
        registrationPage(
          'Certificates & secrets > New client secret, then change ENTRA_CLIENT_SECRET and restart',
        ),
        `az ad app credential reset --id ${config.clientId} --append --display-name mcp-gateway-auth`,
      );
    },
  },
];

/** Of the registration's secrets the one that the gateway uses: Graph shows only the first characters of each. */
export function secretInUse(
  { passwordCredentials }: Application,
  text: string,
): Application['passwordCredentials'][number] | undefined {
  const fitting = passwordCredentials.filter(({ hint }) => hint && text.startsWith(hint));
  return fitting.sort((a, b) => b.endDateTime.localeCompare(a.endDateTime))[0];
}
