import { aadstsHelpIn, aadstsLine } from '../../../../../contract/diagnosis/aadsts.ts';
import { Failure } from '../../../../failure/errors.ts';
import { type Check, isKnown, not, setupCommand, well } from '../check.ts';

const group = 'Tenant';

/** Whether the tenant can be asked, and whether both sides have the same idea of the time. */
export const tenantChecks: readonly Check[] = [
  {
    id: 'tenant',
    group,
    why: 'Sign-in and tokens begin with the discovery document of the tenant.',
    run({ config, issuers }) {
      if (issuers instanceof Failure) {
        const help = aadstsHelpIn(issuers.message);
        return not(
          'fail',
          `The tenant ${config.tenantId} cannot be found at ${config.loginBaseUrl}: ${help ? aadstsLine(help) : issuers.message}`,
          'Microsoft Entra ID > Overview > Tenant ID: copy it to ENTRA_TENANT_ID (guide, step 2)',
          'az account show --query tenantId',
        );
      }
      if (!issuers) return undefined;
      if (issuers.v2.includes(config.tenantId) && issuers.v1.includes(config.tenantId))
        return well(`The tenant ${config.tenantId} answers at ${config.loginBaseUrl}.`);
      return not(
        'fail',
        `The issuer ${issuers.v2} does not name the tenant ${config.tenantId}.`,
        'Microsoft Entra ID > Overview > Tenant ID: set the GUID as ENTRA_TENANT_ID (guide, step 2)',
        'az account show --query tenantId',
      );
    },
  },
  {
    id: 'signing-keys',
    group,
    why: 'Tokens are verified with the keys that the tenant publishes.',
    run({ signingKeys }) {
      if (signingKeys === undefined) return undefined;
      if (isKnown(signingKeys) && signingKeys > 0)
        return well(`The tenant publishes ${signingKeys} signing keys.`);
      const why = signingKeys instanceof Failure ? signingKeys.message : 'The key set is empty.';
      return not(
        'fail',
        `The signing keys cannot be read: ${why}`,
        'Nothing to set: let the gateway reach the login host (firewall, proxy)',
        'curl https://login.microsoftonline.com/<tenant-id>/discovery/v2.0/keys',
      );
    },
  },
  {
    id: 'clock',
    group,
    why: 'Tokens are valid from a second to a second: a wrong clock refuses good ones.',
    run({ now, theirNow }) {
      if (theirNow === undefined) return undefined;
      const seconds = Math.round(Math.abs(now - theirNow) / 1000);
      if (seconds <= 30) return well('The clock agrees with that of Microsoft.');
      const direction = now > theirNow ? 'ahead' : 'behind';
      return not(
        seconds > 60 ? 'fail' : 'warn',
        `The clock of this machine is ${seconds} s ${direction}.`,
        'Nothing to set in the portal: turn on time synchronisation on this machine',
        'timedatectl set-ntp true',
      );
    },
  },
  {
    id: 'cloud',
    group,
    why: 'The login host and the Graph host must be of the same cloud.',
    run({ config, roles }) {
      if (!(roles instanceof Failure) || !/AADSTS(500011|650057)\b/.test(roles.message)) return undefined;
      return not(
        'fail',
        `${config.loginBaseUrl} does not know the Graph at ${config.graphBaseUrl}.`,
        'Set ENTRA_LOGIN_BASE_URL and ENTRA_GRAPH_BASE_URL of one cloud',
        setupCommand,
      );
    },
  },
];
