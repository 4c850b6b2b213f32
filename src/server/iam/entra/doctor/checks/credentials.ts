import { aadstsCodeIn } from '../../../../../contract/diagnosis/aadsts.ts';
import type { EndingCredential, Finding } from '../../../../../contract/diagnosis/doctor.ts';
import type { EntraConfig } from '../../../../config/config.ts';
import { Failure } from '../../../../failure/errors.ts';
import type { Application } from '../../objects.ts';
import { type Check, isKnown, not, registrationPage, type Verdict, well } from '../check.ts';
import type { Facts } from '../facts.ts';

type Remedy = NonNullable<Finding['remedy']>;

const group = 'Credentials';
const day = 86_400_000;
/** Days before its end from which a credential is spoken of. */
const warnDays = 30;

/** Whether the gateway can authenticate, and for how long. */
export const credentialChecks: readonly Check[] = [
  {
    id: 'secret',
    group,
    why: 'Without a valid credential no one can sign in.',
    run({ config, accepted }) {
      if (accepted === undefined) return undefined;
      if (!(accepted instanceof Failure)) return well('Entra ID accepts the client id and its credential.');
      const portals: Record<number, string> = {
        700016: registrationPage('Overview: compare ENTRA_CLIENT_ID and ENTRA_TENANT_ID (guide, step 2)'),
        700038: registrationPage('Overview: copy Application (client) ID (guide, step 2)'),
        7000112: 'Enterprise applications > the application > Properties > Enabled for users to sign-in: Yes',
      };
      return not(
        'fail',
        `Entra ID refuses the gateway. ${accepted.message}`,
        portals[aadstsCodeIn(accepted.message) ?? 0] ?? remedyOf(config).portal,
        remedyOf(config).command,
      );
    },
  },
  {
    id: 'graph-secret',
    group,
    why: 'Without it no one with many groups can sign in, and no account can be managed.',
    run({ config, roles }) {
      if (!config.graph || roles === undefined) return undefined;
      if (!(roles instanceof Failure)) return well('Entra ID accepts the registration for Microsoft Graph.');
      return not(
        'fail',
        `Entra ID refuses the registration for Microsoft Graph. ${roles.message}`,
        'App registrations > the one of ENTRA_GRAPH_CLIENT_ID > Certificates & secrets > New client secret; copy its Value to ENTRA_GRAPH_CLIENT_SECRET',
        `az ad app credential reset --id ${config.graph.clientId} --append --display-name mcp-gateway-graph`,
      );
    },
  },
  {
    id: 'secret-expiry',
    group,
    why: 'On the day that the secret expires all sign-ins stop (AADSTS7000222).',
    run: (facts) =>
      judgeEnd(facts, 'secret', {
        portal: registrationPage(
          'Certificates & secrets > New client secret, then change ENTRA_CLIENT_SECRET and restart',
        ),
        command: `az ad app credential reset --id ${facts.config.clientId} --append --display-name mcp-gateway-auth`,
      }),
  },
  {
    id: 'certificate-expiry',
    group,
    why: 'On the day that the certificate expires all sign-ins stop (AADSTS700027).',
    run: (facts) =>
      judgeEnd(facts, 'certificate', {
        portal: registrationPage(
          'Certificates & secrets > Certificates > Upload certificate, then put the new one and its key in the files',
        ),
        command: `az ad app credential reset --id ${facts.config.clientId} --append --cert @<new certificate>.pem`,
      }),
  },
];

/** The gateway's own credentials, as far as their end is known. */
export function endingCredentials({ config, application, certificateEnd }: Facts): EndingCredential[] {
  const secret = isKnown(application) ? secretInUse(application, config.clientSecret) : undefined;
  return [
    ...(secret ? [{ kind: 'secret' as const, expires_at: secret.endDateTime }] : []),
    ...(isKnown(certificateEnd) ? [{ kind: 'certificate' as const, expires_at: certificateEnd }] : []),
  ];
}

/** What puts the credential right, by its kind. */
function remedyOf({ clientId, certificate, federatedTokenFile, managedIdentity }: EntraConfig): Remedy {
  const page = (text: string): string => registrationPage(`Certificates & secrets > ${text}`);
  if (certificate)
    return {
      portal: page('Certificates > Upload certificate, the one of ENTRA_CLIENT_CERTIFICATE_PATH'),
      command: `az ad app credential reset --id ${clientId} --append --cert @${certificate.path}`,
    };
  if (managedIdentity || federatedTokenFile)
    return {
      portal: page(
        `Federated credentials > Add credential > ${managedIdentity ? 'Managed identity' : 'the issuer of the token'}`,
      ),
      command: `az ad app federated-credential create --id ${clientId} --parameters <file with issuer, subject and audiences>`,
    };
  return {
    portal: page('New client secret, copy the Value (guide, step 3)'),
    command: `az ad app credential reset --id ${clientId} --append --display-name mcp-gateway-auth`,
  };
}

function judgeEnd(
  facts: Facts,
  kind: EndingCredential['kind'],
  { portal, command }: Remedy,
): Verdict | undefined {
  const expires = endingCredentials(facts).find((one) => one.kind === kind)?.expires_at;
  if (expires === undefined) return undefined;
  const days = Math.floor((Date.parse(expires) - facts.now) / day);
  const on = expires.slice(0, 10);
  if (days < 0) return not('fail', `The client ${kind} ended on ${on}.`, portal, command);
  const until = `The client ${kind} is valid for ${days} more day${days === 1 ? '' : 's'}, until ${on}.`;
  return days > warnDays ? well(until) : not('warn', until, portal, command);
}

/** Of the registration's secrets the one that the gateway uses: Graph shows only the first characters of each. */
function secretInUse(
  { passwordCredentials }: Application,
  text: string,
): Application['passwordCredentials'][number] | undefined {
  const fitting = passwordCredentials.filter(({ hint }) => hint && text.startsWith(hint));
  return fitting.sort((a, b) => b.endDateTime.localeCompare(a.endDateTime))[0];
}
