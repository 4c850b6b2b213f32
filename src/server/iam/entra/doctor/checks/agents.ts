import { Failure } from '../../../../failure/errors.ts';
import { agentRole, apiScope } from '../../objects.ts';
import {
  type Check,
  isKnown,
  not,
  patchApplication,
  registrationPage,
  setupCommand,
  well,
} from '../check.ts';

const group = 'Agents';

/** Whether applications can get tokens for the gateway (machine to machine). */
export const agentChecks: readonly Check[] = [
  {
    id: 'app-id-uri',
    group,
    why: 'Agents ask for a token of this address; without it Entra ID does not know the API (AADSTS500011).',
    run(facts) {
      const { application, config } = facts;
      if (!isKnown(application)) return undefined;
      const wanted = config.applicationIdUri ?? `api://${config.clientId}`;
      if (application.identifierUris.includes(wanted)) return well(`The Application ID URI is ${wanted}.`);
      return not(
        'warn',
        `The registration has no Application ID URI ${wanted}.`,
        registrationPage('Expose an API > Application ID URI > Add (guide, step 11)'),
        `az ad app update --id ${config.clientId} --identifier-uris ${wanted}`,
      );
    },
  },
  {
    id: 'token-version',
    group,
    why: 'Version 2.0 tokens name the API by its id; both versions are accepted.',
    run(facts) {
      const { application } = facts;
      if (!isKnown(application)) return undefined;
      if (application.api.requestedAccessTokenVersion === 2) return well('Access tokens are of version 2.0.');
      return not(
        'warn',
        'Access tokens are of version 1.0; they work, but carry less.',
        registrationPage('Manifest > "requestedAccessTokenVersion": 2 (guide, step 11)'),
        patchApplication(facts, { api: { requestedAccessTokenVersion: 2 } }),
      );
    },
  },
  {
    id: 'api-permissions',
    group,
    why: 'A delegated scope lets programs act for people, an app role distinguishes agents from other applications.',
    run({ application }) {
      if (!isKnown(application)) return undefined;
      const scope = application.api.oauth2PermissionScopes.some(
        ({ value, isEnabled }) => value === apiScope && isEnabled !== false,
      );
      const role = application.appRoles.some(
        ({ isEnabled, allowedMemberTypes }) =>
          isEnabled !== false && allowedMemberTypes.includes('Application'),
      );
      if (scope && role)
        return well(`The API offers the scope ${apiScope} and an app role for applications.`);
      const missing = [...(scope ? [] : [`scope ${apiScope}`]), ...(role ? [] : [`app role ${agentRole}`])];
      return not(
        'warn',
        `The API does not offer: ${missing.join(', ')}.`,
        registrationPage('Expose an API > Add a scope, and App roles > Create app role (guide, step 11)'),
        setupCommand,
      );
    },
  },
  {
    id: 'agent-token',
    group,
    why: 'Every agent gets its token this way; it is tried once from start to end.',
    run({ agentToken, config }) {
      if (agentToken === undefined) return undefined;
      if (!(agentToken instanceof Failure))
        return well('A client_credentials token for the gateway is issued and accepted.');
      return not(
        'fail',
        `A client_credentials token for the gateway does not work. ${agentToken.message}`,
        registrationPage('Expose an API (guide, step 11)'),
        `az ad app update --id ${config.clientId} --identifier-uris api://${config.clientId}`,
      );
    },
  },
];
