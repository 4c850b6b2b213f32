import type { Diagnosis, Finding } from '../../../contract/diagnosis/doctor.ts';
import type { OidcConfig } from '../../config/config.ts';
import { asFailure, type Failure } from '../../failure/errors.ts';
import type { Provider } from '../../provider/provider.ts';
import type { DirectoryWorld } from '../directory.ts';
import { runOidcDoctor } from '../oidc/doctor.ts';
import { capabilitiesOf, managementRolesIn } from './capabilities.ts';
import { needsOf, redirectUrisOf } from './client-needs.ts';
import { clientScopes, type FullClient, findClient } from './clients.ts';
import { openRealm } from './create.ts';
import { type Mapper, namesAudience, namesGroups } from './mappers.ts';

/** What the doctor works with. */
export interface KeycloakDoctorWorld extends DirectoryWorld {
  readonly provider: Provider;
  readonly config: OidcConfig;
}

/** A finding without its heading. */
type Verdict = Omit<Finding, 'group'>;

/**
 * Looks at what every OpenID provider has to have and, where KEYCLOAK_ADMIN_CLIENT_ID may look, into the realm. Throws only
 * the ConfigFault of half a KEYCLOAK_ADMIN_CLIENT.
 */
export async function runKeycloakDoctor(world: KeycloakDoctorWorld): Promise<Diagnosis> {
  const [general, verdicts] = await Promise.all([runOidcDoctor(world), lookIntoRealm(world)]);
  const findings = [
    ...general.findings,
    ...verdicts.map((verdict) => ({ ...verdict, group: world.provider.displayName })),
  ];
  return { ...general, healthy: findings.every(({ level }) => level !== 'fail'), findings };
}

async function lookIntoRealm(world: KeycloakDoctorWorld): Promise<Verdict[]> {
  const realm = openRealm(world.config, world);
  if (!realm) return [];
  let roles: string[];
  try {
    roles = managementRolesIn(await realm.token());
  } catch (error) {
    return [refused(world.config, asFailure(error))];
  }
  const verdicts = [rolesVerdict(world.config, roles)];
  if (!roles.includes('view-clients') && !roles.includes('manage-clients')) return verdicts;
  try {
    const client = await findClient(realm.api, world.config.value('KEYCLOAK_CLIENT_ID'));
    // Without it nobody can sign in, and other checks say so.
    if (!client) return verdicts;
    const scopes = (await clientScopes(realm.api)).filter(({ name }) =>
      client.defaultClientScopes.includes(name),
    );
    const mappers = [client, ...scopes].flatMap(({ protocolMappers }) => protocolMappers ?? []);
    return [...verdicts, clientVerdict(world, client), ...mapperVerdicts(world.config, mappers)];
  } catch (error) {
    return [...verdicts, unreadable(world.config, asFailure(error))];
  }
}

const whyAdmin =
  'As this client the gateway shows and manages users, groups and agents; signing in does not need it.';

function refused({ value }: OidcConfig, failure: Failure): Verdict {
  const clientId = value('KEYCLOAK_ADMIN_CLIENT_ID');
  return {
    ...{ id: 'admin-client', level: 'fail', why: whyAdmin, what: failure.message },
    remedy: {
      portal: `Clients -> ${clientId} -> Credentials: copy the secret to KEYCLOAK_ADMIN_CLIENT_SECRET.`,
      command: 'mcp-gateway gateway setup keycloak',
    },
  };
}

function rolesVerdict({ value }: OidcConfig, roles: readonly string[]): Verdict {
  const clientId = value('KEYCLOAK_ADMIN_CLIENT_ID');
  const { missing } = capabilitiesOf(roles);
  const about = { id: 'admin-roles', why: whyAdmin };
  if (missing.length === 0)
    return { ...about, level: 'ok', what: `${clientId} can manage users, groups and agents.` };
  const given = missing.map((role) => `--rolename ${role}`).join(' ');
  return {
    ...{ ...about, level: 'warn' },
    what: `${clientId} lacks of realm-management: ${missing.join(', ')}. What needs them is not offered.`,
    remedy: {
      portal: `Clients -> ${clientId} -> Service accounts roles -> Assign role -> Filter by clients: ${missing.join(', ')}.`,
      command: `kcadm.sh add-roles -r ${value('KEYCLOAK_REALM')} --uusername service-account-${clientId} --cclientid realm-management ${given}`,
    },
  };
}

function clientVerdict({ provider }: KeycloakDoctorWorld, client: FullClient): Verdict {
  const clientId = client.clientId;
  const unmet = needsOf(provider.redirectUris[0] ?? '').filter((need) => !need.isMet(client));
  const patterns = redirectUrisOf(client).filter((uri) => uri.includes('*'));
  const faults = [
    ...unmet.map(({ fault }) => fault),
    ...patterns.map((uri) => `${uri} lets people be sent to any address that it fits`),
  ];
  const about = {
    id: 'client-settings',
    why: 'People are sent back only to registered addresses, and only flows that are needed should be open.',
  };
  if (faults.length === 0)
    return { ...about, level: 'ok', what: `${clientId} has its redirect URIs, S256, and no unneeded flow.` };
  return {
    ...{ ...about, level: unmet.some(({ isVital }) => isVital) ? 'fail' : 'warn' },
    what: `${clientId}: ${faults.join('; ')}.`,
    remedy: {
      portal: `Clients -> ${clientId} -> Settings, and Advanced for S256 (docs/providers/keycloak.md, step 1).`,
      command: 'mcp-gateway gateway setup keycloak',
    },
  };
}

function mapperVerdicts({ value }: OidcConfig, mappers: readonly Mapper[]): Verdict[] {
  const clientId = value('KEYCLOAK_CLIENT_ID');
  const [claim = '', ...further] = value('KEYCLOAK_GROUPS_CLAIM');
  const audiences = value('KEYCLOAK_AUDIENCE').length > 0 ? value('KEYCLOAK_AUDIENCE') : [clientId];
  const remedy = (step: string) => ({
    portal: `Client scopes -> mcp-gateway -> Mappers, and ${clientId} -> Client scopes (docs/providers/keycloak.md, ${step}).`,
    command: 'mcp-gateway gateway setup keycloak',
  });
  const verdict = (id: string, why: string, isThere: boolean, [well, not, step]: [string, string, string]) =>
    isThere
      ? ({ id, why, level: 'ok', what: well } as const)
      : ({ id, why, level: 'fail', what: not, remedy: remedy(step) } as const);
  return [
    // A path leads to roles, which Keycloak's own scopes put there.
    ...(further.length > 0
      ? []
      : [
          verdict(
            'groups-mapper',
            'Groups decide what people may do; without a mapper Keycloak sends none.',
            mappers.some((one) => namesGroups(one, claim)),
            [
              `Tokens of ${clientId} list groups in the claim ${claim}.`,
              `No mapper of ${clientId} lists groups in the claim ${claim} of both ID and access tokens.`,
              'step 2',
            ],
          ),
        ]),
    verdict(
      'audience-mapper',
      'Access tokens are accepted only when their audience is this gateway.',
      mappers.some((one) => audiences.some((audience) => namesAudience(one, audience))),
      [
        `Access tokens of ${clientId} name the gateway as audience.`,
        `No mapper of ${clientId} names ${audiences.join(' or ')} as audience of access tokens.`,
        'step 3',
      ],
    ),
  ];
}

function unreadable({ value }: OidcConfig, failure: Failure): Verdict {
  return {
    ...{ id: 'client-settings', level: 'warn', why: 'What cannot be read cannot be checked.' },
    what: `The client ${value('KEYCLOAK_CLIENT_ID')} cannot be checked: ${failure.message}`,
    remedy: { portal: 'Check it in the admin console.', command: 'mcp-gateway gateway doctor keycloak' },
  };
}
