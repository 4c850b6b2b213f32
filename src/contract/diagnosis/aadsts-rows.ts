/** What a group of AADSTS codes has in common. */
export interface AadstsRow {
  readonly codes: readonly number[];
  /** What happened, as a headline. */
  readonly title: string;
  readonly cause: string;
  /** What to do, one sentence each; the first one names the step of the guide. */
  readonly steps: readonly string[];
  /** The heading of docs/providers/entra.md that has more, as a link's fragment. */
  readonly docsAnchor: string;
  /** True when the same request may succeed a little later. */
  readonly retryable?: true;
}

const anchors = {
  ids: 'step-2-note-your-application-ids',
  secret: 'step-3-create-a-client-secret',
  redirect: 'step-4-configure-redirect-uris',
  permissions: 'step-5-add-api-permissions',
  api: 'step-11-configure-the-app-for-api-access',
  users: 'adding-users',
  enterprise: 'enterprise-application',
  people: 'people-who-cannot-sign-in',
  clients: 'agents-and-their-tokens',
  frequency: 'sign-in-frequency',
  secretless: 'without-a-client-secret',
} as const;

/** Every AADSTS code that this product or its clients can meet, from the cause that Microsoft documents to the guide's step. */
export const aadstsRows: readonly AadstsRow[] = [
  {
    codes: [50011],
    title: 'The redirect URI is not registered',
    cause: 'The gateway sent a redirect URI that is not exactly one of the app registration.',
    steps: [
      'Step 4: under Authentication, platform Web, add exactly the URI of the message.',
      'If the host or scheme in it is wrong, correct AUTH_SERVER_EXTERNAL_URL (or ENTRA_REDIRECT_URI) and restart.',
    ],
    docsAnchor: anchors.redirect,
  },
  {
    codes: [7000215],
    title: 'The client secret is wrong',
    cause:
      "ENTRA_CLIENT_SECRET is not a secret's Value (often the Secret ID was copied), or it is seconds old.",
    steps: [
      'Step 3: create a new secret and copy its Value, not its Secret ID, to ENTRA_CLIENT_SECRET; restart.',
      'If it has just been created, wait a minute: Microsoft needs that long to know it everywhere.',
    ],
    docsAnchor: anchors.secret,
    retryable: true,
  },
  {
    codes: [7000222],
    title: 'The client secret has expired',
    cause: 'The end date that the secret was created with has passed.',
    steps: [
      'Step 3: create a new secret, put its Value in ENTRA_CLIENT_SECRET and restart.',
      'The doctor warns from 30 days before the end: mcp-gateway gateway doctor entra.',
    ],
    docsAnchor: anchors.secret,
  },
  {
    codes: [7000218],
    title: 'No client secret was sent',
    cause: 'ENTRA_CLIENT_SECRET is empty, or the redirect URI is registered under another platform than Web.',
    steps: [
      'Step 3: set ENTRA_CLIENT_SECRET.',
      'Step 4: the redirect URI must be under Web, not under Single-page or Mobile and desktop applications.',
    ],
    docsAnchor: anchors.secret,
  },
  {
    codes: [700025, 9002326, 9002327],
    title: 'The redirect URI is under the wrong platform',
    cause:
      'The gateway is a confidential web application, but its redirect URI is registered for another kind.',
    steps: ['Step 4: remove the URI where it is and add it under platform Web.'],
    docsAnchor: anchors.redirect,
  },
  {
    codes: [700024, 700027, 50013, 500131, 500133],
    title: 'The client assertion is not accepted',
    cause:
      'The certificate is not on the registration, or the clock of the gateway or the audience is wrong.',
    steps: [
      'Step 3: upload the certificate that the gateway signs with, and compare its thumbprint.',
      "Check the gateway's clock: an assertion is valid for minutes.",
    ],
    docsAnchor: anchors.secretless,
  },
  {
    codes: [70021, 700211, 700212, 700213],
    title: 'No federated credential matches',
    cause:
      'Issuer, subject and audience of the presented token must equal those of the federated credential.',
    steps: [
      'Step 3: compare the three values literally under Certificates & secrets, Federated credentials.',
    ],
    docsAnchor: anchors.secretless,
  },
  {
    codes: [700016],
    title: 'The application is not known in this tenant',
    cause: 'Client id and tenant id are swapped or of different tenants, or the application was deleted.',
    steps: [
      'Step 2: compare ENTRA_CLIENT_ID and ENTRA_TENANT_ID with the Overview page of the app registration.',
      'If it has just been created, wait a minute.',
    ],
    docsAnchor: anchors.ids,
    retryable: true,
  },
  {
    codes: [700038],
    title: 'The client id is a placeholder',
    cause: 'ENTRA_CLIENT_ID is not the id of an application, for example all zeros.',
    steps: ['Step 2: copy Application (client) ID to ENTRA_CLIENT_ID.'],
    docsAnchor: anchors.ids,
  },
  {
    codes: [90002, 900023],
    title: 'The tenant is not known',
    cause: 'ENTRA_TENANT_ID names no tenant of this cloud.',
    steps: [
      'Step 2: copy Directory (tenant) ID, the GUID, to ENTRA_TENANT_ID.',
      'In a sovereign cloud set ENTRA_LOGIN_BASE_URL too.',
    ],
    docsAnchor: anchors.ids,
  },
  {
    codes: [50194],
    title: 'The application is for one tenant only',
    cause: 'The sign-in was started at /common instead of at the tenant.',
    steps: ['Step 2: set ENTRA_TENANT_ID to the GUID of the tenant.'],
    docsAnchor: anchors.ids,
  },
  {
    codes: [500011],
    title: 'The API is not known in this tenant',
    cause: 'The app registration has no Application ID URI, or the scope names another one.',
    steps: [
      'Step 11: under Expose an API, set the Application ID URI api://{client-id}.',
      'Ask for scope api://{gateway-client-id}/.default.',
    ],
    docsAnchor: anchors.api,
  },
  {
    codes: [1002012],
    title: 'The scope does not end in /.default',
    cause:
      'With client credentials the scope is the Application ID URI with /.default after it, and nothing else.',
    steps: ['Step 11: ask for scope=api://{gateway-client-id}/.default.'],
    docsAnchor: anchors.clients,
  },
  {
    codes: [70011, 28002, 650053],
    title: 'The scope does not exist',
    cause: 'The API has no such scope; a scope without the API before it is looked for at Microsoft Graph.',
    steps: ['Step 11: write it as api://{gateway-client-id}/access_as_user, or use /.default.'],
    docsAnchor: anchors.api,
  },
  {
    codes: [28000, 700022],
    title: 'The scopes are of several APIs',
    cause: 'One token is for one API.',
    steps: ['Step 11: ask for the scopes of one API in each request.'],
    docsAnchor: anchors.clients,
  },
  {
    codes: [90009],
    title: 'The application asks for a token for itself',
    cause: 'An application that is client and API in one must name itself by its id, not by its URI.',
    steps: ['Step 11: ask for {client-id}/access_as_user instead of api://{client-id}/access_as_user.'],
    docsAnchor: anchors.api,
  },
  {
    codes: [650057],
    title: 'The API is not among the requested permissions',
    cause: 'The client asks for an API that its registration does not list.',
    steps: ['Step 5: add the API under API permissions of the client and grant admin consent.'],
    docsAnchor: anchors.permissions,
  },
  {
    codes: [9010010, 901002],
    title: 'The client sent a resource parameter',
    cause:
      'The MCP client talks to Entra ID directly, which does not accept what the MCP specification demands.',
    steps: ['Step 11: let the client use a token of its own or a personal token of the gateway.'],
    docsAnchor: anchors.clients,
  },
  {
    codes: [65001],
    title: 'No one has consented to the permissions',
    cause: 'The application asks for permissions that neither the user nor an administrator has granted.',
    steps: ['Step 5: click Grant admin consent for your tenant.', 'Sign in again.'],
    docsAnchor: anchors.permissions,
  },
  {
    codes: [90094, 90095, 650056],
    title: 'An administrator has to consent',
    cause: 'The tenant does not let users consent, or the permissions need an administrator.',
    steps: [
      'Step 5: click Grant admin consent for your tenant, or send an administrator the link of that step.',
    ],
    docsAnchor: anchors.permissions,
  },
  {
    codes: [65004],
    title: 'The consent was declined',
    cause: 'Someone pressed Cancel on the page that lists the permissions.',
    steps: ['Step 5: sign in again and accept, or let an administrator consent for everyone.'],
    docsAnchor: anchors.permissions,
  },
  {
    codes: [50105],
    title: 'The user is not assigned to the application',
    cause: 'The enterprise application demands an assignment and this person has none.',
    steps: [
      'Enterprise applications, the application, Users and groups: assign the person or a group of theirs.',
      'Or turn Assignment required off under Properties.',
    ],
    docsAnchor: anchors.enterprise,
  },
  {
    codes: [501051],
    title: 'The agent is not assigned to a role of the API',
    cause: 'The enterprise application demands an assignment and the agent has no app role.',
    steps: [
      'Step 11: grant the agent the app role Gateway.Invoke (API permissions, Application, admin consent).',
    ],
    docsAnchor: anchors.clients,
    retryable: true,
  },
  {
    codes: [7000112],
    title: 'The application is disabled',
    cause: 'Its enterprise application is disabled.',
    steps: ['Enterprise applications, the application, Properties: set Enabled for users to sign-in to Yes.'],
    docsAnchor: anchors.enterprise,
  },
  {
    codes: [50020, 16000, 50034, 90072],
    title: 'The account is not in this tenant',
    cause: 'Someone signed in with an account of another organisation or a personal one.',
    steps: ['Sign in with the right account (a private window helps).', 'Or invite the person as a guest.'],
    docsAnchor: anchors.users,
  },
  {
    codes: [50126, 50055, 50057, 50053],
    title: 'The account cannot sign in',
    cause: 'The password is wrong or expired, or the account is locked or disabled.',
    steps: ['Nothing is wrong with the gateway: the help desk of the tenant resets or unlocks the account.'],
    docsAnchor: anchors.people,
  },
  {
    codes: [50076, 50079, 50158, 53000, 53001, 53002, 53003, 530003],
    title: 'The tenant demands more than a password',
    cause:
      'Multi-factor authentication or a Conditional Access policy applies to this person, device or place.',
    steps: [
      'Sign in again and answer what Microsoft asks.',
      'An administrator finds the policy in the sign-in logs by the correlation id.',
    ],
    docsAnchor: anchors.people,
  },
  {
    codes: [50058],
    title: 'No one is signed in at Microsoft',
    cause: 'A sign-in without any page was tried, but there is no session.',
    steps: ['Sign in again.'],
    docsAnchor: anchors.people,
  },
  {
    codes: [54005, 500112, 70000, 70008, 700082, 700084, 50173],
    title: 'The sign-in has been used or has run out',
    cause: 'A code can be used once; sessions end by age, by a new password and by an administrator.',
    steps: ['Sign in again.'],
    docsAnchor: anchors.people,
  },
  {
    codes: [70043],
    title: 'The organisation asks for a new sign-in',
    cause: 'Conditional Access has a sign-in frequency, and the sign-in is older than it allows.',
    steps: [
      'Sign in again.',
      'To keep personal tokens working: ENTRA_SIGN_IN_FREQUENCY_ENDS=sessions, or give agents an application of their own.',
    ],
    docsAnchor: anchors.frequency,
  },
  {
    codes: [501481, 50147],
    title: 'The sign-in was finished elsewhere than it began',
    cause:
      'The proof key belongs to another attempt: another tab, browser or replica without the shared database.',
    steps: ['Sign in again, in one tab.', 'Several replicas must share database and SECRET_KEY.'],
    docsAnchor: anchors.people,
  },
  {
    codes: [700054],
    title: 'ID tokens from the authorize endpoint are disabled',
    cause: 'A client asked for the implicit flow, which the gateway never does.',
    steps: ['Step 4: leave implicit grant unchecked and use the authorization code flow.'],
    docsAnchor: anchors.redirect,
  },
  {
    codes: [50196],
    title: 'The same request came too often',
    cause: 'A client asks for tokens in a loop instead of keeping them until they expire.',
    steps: ['Keep a token for its lifetime (expires_in) and wait some minutes.'],
    docsAnchor: anchors.clients,
    retryable: true,
  },
  {
    codes: [70002, 70003, 70007, 90014, 90015, 90023, 900144, 900561, 9000411, 9002313],
    title: 'The request is malformed',
    cause: 'A parameter is missing, doubled or not supported; the message names it.',
    steps: ['Compare the request with the example of the guide; send client_id in the body.'],
    docsAnchor: anchors.clients,
  },
  {
    codes: [70016],
    title: 'The device sign-in is not finished yet',
    cause: 'The code has not been entered so far.',
    steps: ['Open the page, enter the code and sign in.'],
    docsAnchor: anchors.people,
    retryable: true,
  },
  {
    codes: [70018, 70019, 70020],
    title: 'The device sign-in did not work',
    cause: 'The code was wrong, ran out after 15 minutes, or the sign-in was declined.',
    steps: ['Start again and enter the new code.'],
    docsAnchor: anchors.people,
  },
  {
    codes: [7000114],
    title: 'An application cannot act on behalf of a user here',
    cause: 'The on-behalf-of flow was given a token without a user.',
    steps: ['Step 11: use client credentials for agents.'],
    docsAnchor: anchors.clients,
  },
  {
    codes: [700222],
    title: 'A token of Entra ID itself cannot be used for federation',
    cause:
      'The federated token is one that Entra ID issued. Only a managed identity, or an issuer outside Entra ID, can be trusted by a federated credential.',
    steps: [
      'Step 3: use a managed identity (ENTRA_MANAGED_IDENTITY), or the token of the workload’s own issuer.',
      'Or use a client certificate.',
    ],
    docsAnchor: anchors.clients,
  },
  {
    codes: [50146],
    title: 'The application needs signing keys of its own',
    cause:
      'A claims mapping policy applies to this application, and Entra ID then signs its tokens with a key of its own or asks for one.',
    steps: [
      'Add a custom signing key to the application, or set acceptMappedClaims to true in its manifest.',
      'Or remove the claims mapping policy: the gateway needs none.',
    ],
    docsAnchor: anchors.clients,
  },
];
