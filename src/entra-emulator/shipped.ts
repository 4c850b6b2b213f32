import { graphAppId, microsoftGraph } from './tenant/first-party.ts';
import type { ApplicationSeed, GroupSeed, Seed, UserSeed } from './tenant/seed.ts';

/** A person of the shipped tenant who can sign in with `password`. */
export type ShippedAccount = {
  userPrincipalName: string;
  displayName: string;
  password: string;
  objectId: string;
  /** Object ids of the groups it is in directly. */
  groups: readonly string[];
  /** What it is there for. */
  about: string;
};

/** An agent of the shipped tenant: an application with a secret whose service principal is in its role's group. */
export type ShippedAgent = {
  displayName: string;
  clientId: string;
  clientSecret: string;
  /** Object id of its service principal (`oid` and `sub` of its tokens). */
  objectId: string;
  groups: readonly string[];
  /** App roles on the gateway's API. */
  roles: readonly string[];
};

const password = 'Emulator-demo-1';
const domain = 'contoso.example';
const groups = {
  /** `Mcp-test-admin` of the setup guide. */
  admin: '16c7e67e-e8ae-498c-ba2e-0593c0159e43',
  /** `mcp-test-users` of the setup guide. */
  users: '62c07ac1-03d0-4924-90c7-a0255f23bd1d',
  developers: 'd3a7c1de-0000-4000-8000-000000000de5',
  operators: '09e7a705-0000-4000-8000-0000000009e5',
  /** Is inside `mcp-test-users`; its only user is `nested`. */
  nested: '4e57ed00-0000-4000-8000-000000000001',
} as const;

function account(name: string, tail: string, about: string, ...memberOf: string[]): ShippedAccount {
  return {
    userPrincipalName: `${name}@${domain}`,
    displayName: `${name.charAt(0).toUpperCase()}${name.slice(1)} Contoso`,
    password,
    objectId: `acc00000-0000-4000-8000-0000000000${tail}`,
    groups: memberOf,
    about,
  };
}

function agent(name: string, tail: string, roles: readonly string[], ...memberOf: string[]): ShippedAgent {
  return {
    displayName: name,
    clientId: `a9e27000-0000-4000-8000-0000000000${tail}`,
    clientSecret: `emulator-demo-secret-of-${name}`,
    objectId: `5e271ce0-0000-4000-8000-0000000000${tail}`,
    groups: memberOf,
    roles,
  };
}

const invoke = ['Gateway.Invoke'];

/** The fixed facts of the tenant that the emulator ships with: readable without starting anything. */
export const shippedTenant = {
  tenantId: '7e4a0000-e000-4000-8000-000000000001',
  displayName: 'Contoso (emulated)',
  domain,
  /** The gateway's own registration `mcp-gateway-web`. */
  clientId: '9a7e3a70-0000-4000-8000-000000000001',
  clientSecret: 'emulator-demo-secret-of-mcp-gateway-web',
  /** Object id of the gateway's service principal. */
  gatewayServicePrincipalId: '5e271ce0-0000-4000-8000-000000000001',
  appIdUri: 'api://9a7e3a70-0000-4000-8000-000000000001',
  /** A separate registration for administration through Graph, with the application permissions that needs. */
  admin: {
    clientId: '9a7e3a70-0000-4000-8000-0000000000ad',
    clientSecret: 'emulator-demo-secret-of-mcp-gateway-admin',
  },
  /** A public client (device code, loopback redirect) that may ask for `access_as_user`. */
  publicClientId: '9a7e3a70-0000-4000-8000-0000000000c1',
  groups,
  password,
  accounts: {
    admin: account('alice', 'a1', 'administrator', groups.admin),
    user: account('bob', 'b0', 'user', groups.users),
    developer: account('dora', 'd0', 'developer', groups.developers),
    operator: account('oscar', '05', 'operator', groups.operators),
    /** Holds the directory role Global Administrator; in no group of the gateway's. */
    globalAdmin: account('gina', '9a', 'directory administrator'),
    noGroup: account('nora', '00', 'in no group'),
    nested: account('nils', 'e5', 'user through a nested group', groups.nested),
    manyGroups: account('maya', '20', 'in 205 groups (overage)', groups.users),
    guest: {
      ...account('gus', '6e', 'guest from Fabrikam', groups.users),
      userPrincipalName: `gus_fabrikam.example#EXT#@${domain}`,
    },
    disabled: account('dan', 'da', 'disabled account', groups.users),
  },
  agents: {
    admin: agent('agent-admin', 'a1', invoke, groups.admin),
    user: agent('agent-user', 'b0', invoke, groups.users),
    developer: agent('agent-developer', 'd0', invoke, groups.developers),
    operator: agent('agent-operator', '05', invoke, groups.operators),
    /** In no group and without a role: what any application of the tenant can be. */
    stray: agent('agent-stray', '00', []),
  },
  /** A second tenant, to try callers from elsewhere. */
  other: {
    tenantId: '7e4a0000-e000-4000-8000-000000000002',
    domain: 'fabrikam.example',
    account: {
      userPrincipalName: 'fay@fabrikam.example',
      displayName: 'Fay Fabrikam',
      password,
      objectId: 'acc00000-0000-4000-8000-0000000000fa',
    },
    agent: {
      clientId: 'a9e27000-0000-4000-8000-0000000000fa',
      clientSecret: 'emulator-demo-secret-of-agent-fabrikam',
    },
  },
} as const;

/** The seed of the shipped tenant and the second one beside it. */
export function shippedSeed(): Seed {
  return {
    tenants: [
      {
        id: shippedTenant.tenantId,
        displayName: shippedTenant.displayName,
        domains: [domain],
        users: shippedUsers(),
        groups: shippedGroups(),
        applications: [gateway(), administration(), publicClient(), ...shippedAgents()],
      },
      {
        id: shippedTenant.other.tenantId,
        displayName: 'Fabrikam (emulated)',
        domains: [shippedTenant.other.domain],
        users: [
          {
            id: shippedTenant.other.account.objectId,
            userPrincipalName: shippedTenant.other.account.userPrincipalName,
            displayName: shippedTenant.other.account.displayName,
            password,
            about: 'from another tenant',
          },
        ],
        groups: [{ displayName: 'Fabrikam everybody', members: [shippedTenant.other.account.objectId] }],
        applications: [
          {
            appId: shippedTenant.other.agent.clientId,
            displayName: 'agent-fabrikam',
            passwordCredentials: [{ secretText: shippedTenant.other.agent.clientSecret }],
          },
        ],
      },
    ],
  };
}

function shippedUsers(): UserSeed[] {
  return Object.entries(shippedTenant.accounts).map(([role, person]) => {
    const guest = role === 'guest';
    return {
      id: person.objectId,
      userPrincipalName: person.userPrincipalName,
      displayName: person.displayName,
      givenName: person.displayName.split(' ')[0] ?? null,
      surname: 'Contoso',
      mail: guest ? 'gus@fabrikam.example' : person.userPrincipalName,
      accountEnabled: role !== 'disabled',
      userType: guest ? 'Guest' : 'Member',
      creationType: guest ? 'Invitation' : null,
      externalUserState: guest ? 'Accepted' : null,
      password: person.password,
      about: person.about,
      ...(role === 'globalAdmin' ? { directoryRoles: ['Global Administrator'] } : {}),
    };
  });
}

function shippedGroups(): GroupSeed[] {
  const people = [...Object.values(shippedTenant.accounts), ...Object.values(shippedTenant.agents)];
  const membersOf = (group: string): string[] =>
    people
      .filter((person) => (person.groups as readonly string[]).includes(group))
      .map((person) => person.objectId);
  const named = (id: string, displayName: string, description: string): GroupSeed => ({
    id,
    displayName,
    description,
    members: membersOf(id),
  });
  const users = named(groups.users, 'mcp-test-users', 'MCP Gateway users');
  return [
    named(groups.admin, 'Mcp-test-admin', 'MCP Gateway administrators'),
    { ...users, members: [...(users.members ?? []), groups.nested] },
    named(groups.developers, 'mcp-test-developers', 'MCP Gateway developers'),
    named(groups.operators, 'mcp-test-operators', 'MCP Gateway operators'),
    named(groups.nested, 'mcp-test-nested', 'A group inside mcp-test-users'),
    ...Array.from({ length: 204 }, (_, index) => ({
      displayName: `overage-${String(index + 1).padStart(3, '0')}`,
      members: [shippedTenant.accounts.manyGroups.objectId],
    })),
  ];
}

/** The gateway's registration as the setup guide makes it, corrected where real Entra wants it otherwise. */
function gateway(): ApplicationSeed {
  return {
    appId: shippedTenant.clientId,
    displayName: 'mcp-gateway-web',
    identifierUris: [shippedTenant.appIdUri],
    groupMembershipClaims: 'SecurityGroup',
    ...gatewayPlatforms(),
    appRoles: [
      {
        value: 'Gateway.Invoke',
        displayName: 'Invoke the gateway',
        allowedMemberTypes: ['Application'],
      },
    ],
    optionalClaims: {
      idToken: [{ name: 'email' }, { name: 'login_hint' }, { name: 'sid' }],
      accessToken: [{ name: 'idtyp' }, { name: 'email' }],
    },
    passwordCredentials: [
      { secretText: shippedTenant.clientSecret, displayName: 'mcp-gateway-auth (emulator demo value)' },
    ],
    servicePrincipal: { id: shippedTenant.gatewayServicePrincipalId },
    grantedScopes: [
      {
        resource: 'Microsoft Graph',
        scope: 'openid profile email offline_access User.Read',
      },
      { resource: 'mcp-gateway-web', scope: 'access_as_user' },
    ],
    requiredResourceAccess: [
      {
        resourceAppId: graphAppId,
        resourceAccess: ['openid', 'profile', 'email', 'offline_access', 'User.Read'].map((value) => ({
          id: microsoftGraph.api.oauth2PermissionScopes.find((scope) => scope.value === value)?.id ?? '',
          type: 'Scope' as const,
        })),
      },
    ],
    // What the overage lookup and the doctor need when the gateway asks as itself.
    grantedRoles: [{ resource: 'Microsoft Graph', value: 'Directory.Read.All' }],
  };
}

/** Where the gateway may be reached, and what it offers as an API. */
function gatewayPlatforms(): Pick<ApplicationSeed, 'web' | 'api'> {
  return {
    web: {
      // Signing out may only return to a registered redirect URI, hence the last two.
      redirectUris: ['/auth/callback', '/oauth2/callback/entra', '/login', '/'].flatMap((path) => [
        `http://localhost${path}`,
        `http://127.0.0.1${path}`,
      ]),
      logoutUrl: null,
    },
    api: {
      requestedAccessTokenVersion: 2,
      oauth2PermissionScopes: [{ value: 'access_as_user', adminConsentDisplayName: 'Access MCP Gateway' }],
      preAuthorizedApplications: [],
    },
  };
}

function administration(): ApplicationSeed {
  const permissions = [
    'User.ReadWrite.All',
    'User.Invite.All',
    'Group.ReadWrite.All',
    'Application.ReadWrite.All',
    'AppRoleAssignment.ReadWrite.All',
    'DelegatedPermissionGrant.ReadWrite.All',
    'Directory.Read.All',
    'Organization.Read.All',
    'Domain.Read.All',
    'Policy.Read.All',
  ];
  return {
    appId: shippedTenant.admin.clientId,
    displayName: 'mcp-gateway-admin',
    passwordCredentials: [{ secretText: shippedTenant.admin.clientSecret }],
    grantedRoles: permissions.map((value) => ({ resource: 'Microsoft Graph', value })),
  };
}

function publicClient(): ApplicationSeed {
  return {
    appId: shippedTenant.publicClientId,
    displayName: 'mcp-gateway-cli',
    isFallbackPublicClient: true,
    publicClient: { redirectUris: ['http://localhost', 'http://127.0.0.1'] },
    grantedScopes: [
      { resource: 'Microsoft Graph', scope: 'openid profile email offline_access User.Read' },
      { resource: 'mcp-gateway-web', scope: 'access_as_user' },
    ],
  };
}

function shippedAgents(): ApplicationSeed[] {
  return Object.values(shippedTenant.agents).map((one) => ({
    appId: one.clientId,
    displayName: one.displayName,
    passwordCredentials: [{ secretText: one.clientSecret, displayName: 'emulator demo value' }],
    servicePrincipal: { id: one.objectId },
    grantedRoles: one.roles.map((value) => ({ resource: 'mcp-gateway-web', value })),
  }));
}
