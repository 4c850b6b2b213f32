import { Failure } from '../../../../failure/errors.ts';
import { logoutPath } from '../../needs.ts';
import {
  type Check,
  isKnown,
  not,
  patchApplication,
  registrationPage,
  setupCommand,
  type Verdict,
  well,
} from '../check.ts';
import type { Facts } from '../facts.ts';

const group = 'App registration';

/** Whether the registration is readable, enabled, and has the redirect URI that the gateway sends. */
export const registrationChecks: readonly Check[] = [
  {
    id: 'registration',
    group,
    why: 'What follows is read from the registration through Microsoft Graph.',
    run({ application }) {
      if (application === undefined) return undefined;
      if (isKnown(application)) return well(`The registration is '${application.displayName}'.`);
      return not(
        'warn',
        `The registration cannot be read, so it is not checked. ${application.message}`,
        registrationPage(
          'API permissions > Microsoft Graph > Application > Directory.Read.All, then Grant admin consent',
        ),
        setupCommand,
      );
    },
  },
  {
    id: 'enterprise-application',
    group,
    why: 'Entra ID signs in only to an enterprise application (service principal) that is enabled.',
    run({ config, principal }) {
      if (principal === undefined || (principal instanceof Failure && principal.code !== 'not_found'))
        return undefined;
      if (principal instanceof Failure)
        return not(
          'fail',
          'The registration has no enterprise application in this tenant.',
          'Enterprise applications > New application, or register the application again (guide, step 1)',
          `az ad sp create --id ${config.clientId}`,
        );
      if (principal.accountEnabled === false)
        return not(
          'fail',
          'The enterprise application is disabled (AADSTS7000112).',
          'Enterprise applications > the application > Properties > Enabled for users to sign-in: Yes',
          `az ad sp update --id ${config.clientId} --set accountEnabled=true`,
        );
      if (principal.appRoleAssignmentRequired)
        return well('The enterprise application is enabled; only people and agents assigned to it get in.');
      return well('The enterprise application is enabled.');
    },
  },
  {
    id: 'redirect-uri',
    group,
    why: 'Microsoft sends people back only to exactly a registered address (AADSTS50011).',
    run(facts) {
      const { application, config } = facts;
      if (!isKnown(application)) return byTrying(facts);
      const { redirectUris } = application.web;
      const sent = config.redirectUris ?? [config.redirectUri];
      const missing = sent.filter((uri) => !redirectUris.some((one) => sameRedirect(one, uri)));
      if (missing.length === 0) return well(`${sent.join(' and ')} is registered.`);
      const others = [application.spa, application.publicClient].flatMap((one) => one?.redirectUris ?? []);
      const shown = missing.join(', ');
      return not(
        'fail',
        missing.some((uri) => others.includes(uri))
          ? `${shown} is registered under another platform than Web (AADSTS700025).`
          : `${shown} is not registered (AADSTS50011). Registered: ${redirectUris.join(', ') || 'none'}.`,
        registrationPage(`Authentication > Web > Add URI > ${shown} (guide, step 4)`),
        patchApplication(facts, { web: { redirectUris: [...redirectUris, ...missing] } }),
      );
    },
  },
  {
    id: 'logout-url',
    group,
    why: 'Otherwise people who sign out at Microsoft, or in another application, stay signed in here.',
    run(facts) {
      const { application, config } = facts;
      // Microsoft takes https only, so there is nothing to register for a gateway on this machine.
      if (!isKnown(application) || !config.redirectUri.startsWith('https:')) return undefined;
      const wanted = new URL(logoutPath, config.redirectUri).href;
      const { logoutUrl } = application.web;
      if (logoutUrl === wanted) return well('A sign-out elsewhere ends sessions here.');
      return not(
        'warn',
        logoutUrl
          ? `The front-channel logout URL is ${logoutUrl}, not that of the gateway.`
          : 'No front-channel logout URL is registered: a sign-out elsewhere ends no session here.',
        registrationPage(`Authentication > Front-channel logout URL > ${wanted} (guide, step 4)`),
        patchApplication(facts, { web: { logoutUrl: wanted } }),
      );
    },
  },
  {
    id: 'implicit-flow',
    group,
    why: 'Tokens in the address of a page leak; the gateway uses the authorization code flow only.',
    run(facts) {
      if (!isKnown(facts.application)) return undefined;
      const { enableIdTokenIssuance, enableAccessTokenIssuance } =
        facts.application.web.implicitGrantSettings ?? {};
      if (!enableIdTokenIssuance && !enableAccessTokenIssuance) return well('Implicit grant is disabled.');
      return not(
        'warn',
        'Implicit grant is enabled, and nothing here needs it.',
        registrationPage('Authentication > Implicit grant and hybrid flows: uncheck both (guide, step 4)'),
        patchApplication(facts, {
          web: { implicitGrantSettings: { enableIdTokenIssuance: false, enableAccessTokenIssuance: false } },
        }),
      );
    },
  },
];

/** Exact, but for the port on loopback, which Entra ID does not compare (RFC 8252, section 7.3). */
/** What silent sign-ins showed, where the registration cannot be read. */
function byTrying({ config, redirects }: Facts): Verdict | undefined {
  if (!isKnown(redirects)) return undefined;
  const sent = config.redirectUris ?? [config.redirectUri];
  const missing = sent.filter((uri) => redirects.get(uri) === false);
  if (missing.length === 0)
    return sent.every((uri) => redirects.has(uri)) ? well(`${sent.join(' and ')} is registered.`) : undefined;
  const shown = missing.join(', ');
  const instead = [...redirects].flatMap(([uri, isThere]) => (isThere && !sent.includes(uri) ? [uri] : []));
  const add = registrationPage(`Authentication > Web > Add URI > ${shown} (guide, step 4)`);
  if (instead.length === 0)
    return not('fail', `${shown} is not registered (AADSTS50011).`, add, setupCommand);
  const line = `ENTRA_REDIRECT_URI=${[...sent.filter((uri) => !missing.includes(uri)), ...instead].join(',')}`;
  return not(
    'fail',
    `${shown} is not registered (AADSTS50011), but ${instead.join(', ')} is, where the gateway listens too.`,
    `${add}; or set ${line} in .env and restart`,
    `echo '${line}' >> .env`,
  );
}

function sameRedirect(registered: string, sent: string): boolean {
  if (registered === sent) return true;
  if (!URL.canParse(registered) || !URL.canParse(sent)) return false;
  const [a, b] = [new URL(registered), new URL(sent)];
  const isLoopback = ['localhost', '127.0.0.1'].includes(a.hostname);
  return isLoopback && a.protocol === b.protocol && a.hostname === b.hostname && a.pathname === b.pathname;
}
