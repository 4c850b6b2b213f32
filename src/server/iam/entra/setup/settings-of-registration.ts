import { applicationPermissions, delegatedPermissions, optionalClaims } from '../needs.ts';
import { type Application, agentRole, apiScope, graphAppId, type ServicePrincipal } from '../objects.ts';
import { findApplication, graphPrincipal, needApplication, type SetupWorld, type Step } from './step.ts';

/** What a change of the registration needs to know. */
interface Ground {
  readonly world: SetupWorld;
  /** Undefined while only planning, before the registration exists. */
  readonly application: Application | undefined;
  readonly graph: ServicePrincipal;
}

/** A change: the body of the PATCH, and a line for each thing that it changes. */
type Change = { readonly body: object; readonly lines: readonly string[] };

/** The settings of the registration, in the order of the guide. */
export const settingSteps: readonly Step[] = [
  setting('redirect-uris', 'Redirect URIs (guide, step 4)', ({ world: { wish }, application }) => {
    const there = application?.web.redirectUris ?? [];
    const missing = wish.redirectUris.filter((uri) => !there.includes(uri));
    return {
      body: { web: { redirectUris: [...there, ...missing] } },
      lines: missing.map((uri) => `add ${uri} under platform Web`),
    };
  }),
  setting('logout-url', 'Front-channel logout (guide, step 4)', ({ world: { wish }, application }) => ({
    body: { web: { logoutUrl: wish.logoutUrl } },
    lines:
      wish.logoutUrl && application?.web.logoutUrl !== wish.logoutUrl
        ? [`let a sign-out elsewhere end sessions here, at ${wish.logoutUrl}`]
        : [],
  })),
  setting('api-permissions', 'API permissions (guide, step 5)', requestPermissions),
  setting('optional-claims', 'Optional claims (guide, step 6)', ({ application }) => {
    const there = application?.optionalClaims;
    const lines = Object.entries(optionalClaims).flatMap(([token, names]) =>
      names
        .filter((name) => !there?.[token as keyof typeof optionalClaims].some((claim) => claim.name === name))
        .map((name) => `add ${name} to ${token === 'idToken' ? 'ID tokens' : 'access tokens'}`),
    );
    const all = (token: keyof typeof optionalClaims) => [
      ...(there?.[token] ?? []),
      ...optionalClaims[token]
        .filter((name) => !there?.[token].some((claim) => claim.name === name))
        .map((name) => ({ name })),
    ];
    return {
      body: {
        optionalClaims: {
          idToken: all('idToken'),
          accessToken: all('accessToken'),
          saml2Token: there?.saml2Token ?? [],
        },
      },
      lines,
    };
  }),
  setting('group-claims', 'Group claims (guide, step 7)', ({ application }) => {
    const isSet = /SecurityGroup|All|ApplicationGroup/.test(application?.groupMembershipClaims ?? '');
    return {
      body: { groupMembershipClaims: 'SecurityGroup' },
      lines: isSet ? [] : ['put security groups, by Object ID, into tokens'],
    };
  }),
  setting('expose-api', 'Access for programs (guide, step 11)', exposeApi),
  setting('app-role', 'A role for agents (guide, step 11)', ({ world, application }) => {
    const there = application?.appRoles ?? [];
    const role = {
      id: world.newId(),
      value: agentRole,
      displayName: 'Invoke the gateway',
      description: 'Agents with this role can call the gateway.',
      allowedMemberTypes: ['Application'],
      isEnabled: true,
    };
    return {
      body: { appRoles: [...there, role] },
      lines: there.some(({ value }) => value === agentRole)
        ? []
        : [`add the app role ${agentRole} for applications`],
    };
  }),
];

function setting(id: string, title: string, change: (ground: Ground) => Change): Step {
  return {
    id,
    title,
    async plan(world) {
      const [application, graph] = await Promise.all([findApplication(world), graphPrincipal(world)]);
      return change({ world, application, graph }).lines;
    },
    async apply(world) {
      const [application, graph] = [await needApplication(world), await graphPrincipal(world)];
      const { body } = change({ world, application, graph });
      await world.graph.send('PATCH', `/applications/${application.id}`, {
        body,
        permission: 'Application.ReadWrite.All',
      });
    },
  };
}

function requestPermissions({ application, graph }: Ground): Change {
  const wanted = [
    ...delegatedPermissions.map((value) => ({ value, type: 'Scope', among: graph.oauth2PermissionScopes })),
    ...applicationPermissions.map((value) => ({ value, type: 'Role', among: graph.appRoles })),
  ].flatMap(({ value, type, among }) => {
    const id = among.find((one) => one.value === value)?.id;
    return id ? [{ value, type, id }] : [];
  });
  const there = application?.requiredResourceAccess ?? [];
  const ofGraph = there.find(({ resourceAppId }) => resourceAppId === graphAppId)?.resourceAccess ?? [];
  const missing = wanted.filter(({ id }) => !ofGraph.some((access) => access.id === id));
  const others = there.filter(({ resourceAppId }) => resourceAppId !== graphAppId);
  const resourceAccess = [...ofGraph, ...missing.map(({ id, type }) => ({ id, type }))];
  return {
    body: { requiredResourceAccess: [...others, { resourceAppId: graphAppId, resourceAccess }] },
    lines: missing.map(
      ({ value, type }) =>
        `ask for ${value} of Microsoft Graph (${type === 'Scope' ? 'delegated' : 'application'})`,
    ),
  };
}

function exposeApi({ world, application }: Ground): Change {
  const uri = `api://${application?.appId ?? '{client-id}'}`;
  const uris = application?.identifierUris ?? [];
  const scopes = application?.api.oauth2PermissionScopes ?? [];
  const hasScope = scopes.some(({ value }) => value === apiScope);
  const scope = {
    id: world.newId(),
    value: apiScope,
    type: 'Admin',
    isEnabled: true,
    adminConsentDisplayName: 'Access MCP Gateway',
    adminConsentDescription: 'Allow the application to access MCP Gateway on behalf of the signed-in user.',
  };
  return {
    body: {
      identifierUris: uris.includes(uri) ? uris : [...uris, uri],
      api: {
        requestedAccessTokenVersion: 2,
        oauth2PermissionScopes: hasScope ? scopes : [...scopes, scope],
      },
    },
    lines: [
      ...(uris.includes(uri) ? [] : [`set the Application ID URI ${uri}`]),
      ...(hasScope ? [] : [`add the scope ${apiScope}`]),
      ...(application?.api.requestedAccessTokenVersion === 2 ? [] : ['issue access tokens of version 2.0']),
    ],
  };
}
