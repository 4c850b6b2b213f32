import type { Diagnosis, Finding } from '../../../contract/diagnosis/doctor.ts';
import { Failure } from '../../failure/errors.ts';
import { gatherFacts, type OidcDoctorWorld, type OidcFacts } from './facts.ts';

/** One check: it judges facts and asks nothing. No verdict means that something before it failed. */
interface Check {
  readonly id: string;
  /** Why this matters; every finding of the check says so. */
  readonly why: string;
  run(facts: OidcFacts): Pick<Finding, 'level' | 'what' | 'remedy'> | undefined;
}

/** Looks at everything that the gateway needs of an OpenID provider, changes nothing, and never throws. */
export async function runOidcDoctor(world: OidcDoctorWorld): Promise<Diagnosis> {
  const facts = await gatherFacts(world);
  const findings = checks.flatMap(({ id, why, run }) => {
    const verdict = run(facts);
    return verdict ? [{ id, group: world.provider.displayName, why, ...verdict }] : [];
  });
  return { healthy: findings.every(({ level }) => level !== 'fail'), findings, credentials: [] };
}

const checks: readonly Check[] = [
  {
    id: 'discovery',
    why: 'Without the discovery document of exactly this issuer no one can sign in and no token is accepted.',
    run({ document, provider }) {
      if (!(document instanceof Failure)) return well(`The issuer ${provider.issuer} describes itself.`);
      return not(
        'fail',
        document.message,
        "Compare the issuer in the settings with the provider's own.",
        read(provider.discoveryUrls[0]),
      );
    },
  },
  {
    id: 'signing-keys',
    why: 'Tokens are verified with the keys that the issuer publishes.',
    run({ keys, document, provider }) {
      if (keys === undefined || document === undefined || document instanceof Failure) return undefined;
      if (!(keys instanceof Failure) && keys > 0)
        return well(`The issuer publishes ${keys} usable signing key(s).`);
      const what =
        keys instanceof Failure ? `The keys cannot be read: ${keys.message}` : 'No published key is usable.';
      const remedy = `Let the provider sign with ${provider.algorithms.join(' or ')}.`;
      return not('fail', what, remedy, read(document.jwks_uri));
    },
  },
  {
    id: 'pkce',
    why: 'The code challenge keeps a stolen authorization code from being used.',
    run({ document, provider }) {
      if (document === undefined || document instanceof Failure) return undefined;
      const methods = document.code_challenge_methods_supported;
      if (methods === undefined) return undefined;
      if (methods.includes('S256')) return well('The provider supports PKCE with S256.');
      return not(
        'warn',
        'The provider does not list PKCE with S256.',
        'Switch PKCE on, or update the provider.',
        read(provider.discoveryUrls[0]),
      );
    },
  },
  {
    id: 'redirect-uri',
    why: 'The provider sends people back only to exactly a registered address.',
    run({ signIn, provider }) {
      const uri = provider.redirectUris[0] ?? '';
      if (signIn === undefined) return undefined;
      const remedy = [`Register ${uri} for the client ${provider.clientId}.`, `echo ${uri}`] as const;
      if (signIn instanceof Failure)
        return not('warn', `The sign-in page cannot be reached: ${signIn.message}`, ...remedy);
      if (signIn.location.startsWith(uri)) return well(`The redirect URI ${uri} is registered.`);
      const isError = signIn.status >= 400 || /error/i.test(signIn.location);
      if (isError)
        return not(
          'fail',
          `The provider refuses the redirect URI ${uri} or the client id ${provider.clientId}.`,
          ...remedy,
        );
      return not(
        'warn',
        `The provider does not say whether the redirect URI ${uri} is registered.`,
        ...remedy,
      );
    },
  },
  {
    id: 'client-credential',
    why: 'With a wrong or expired secret no one can finish a sign-in, and groups are not refreshed.',
    run({ credential, provider }) {
      if (credential === undefined) return undefined;
      const remedy = [
        "Copy the client's id and secret again.",
        `mcp-gateway gateway doctor ${provider.name}`,
      ] as const;
      if (credential instanceof Failure)
        return not('fail', `The token endpoint cannot be asked: ${credential.message}`, ...remedy);
      if (credential.error === 'invalid_grant')
        return well(`The secret of ${provider.clientId} is accepted.`);
      const isRefused = credential.status === 401 || /_client$/.test(credential.error ?? '');
      const said = credential.description.slice(0, 300);
      if (isRefused)
        return not('fail', `The provider refuses the client ${provider.clientId}: ${said}`, ...remedy);
      return not(
        'warn',
        `The provider's response does not say whether the secret is right: ${said}`,
        ...remedy,
      );
    },
  },
  {
    id: 'refresh',
    why: 'Without a refresh token sessions end when groups get too old, and a disabled account is not noticed earlier.',
    run({ document, provider }) {
      if (document === undefined || document instanceof Failure) return undefined;
      const known = document.scopes_supported;
      const asks = provider.scope.split(' ').includes('offline_access');
      if (!asks || known === undefined || known.includes('offline_access')) return undefined;
      return not(
        'warn',
        'The provider does not list the scope offline_access, so it is not asked for.',
        'Allow refresh tokens for the client, or the scope offline_access.',
        read(provider.discoveryUrls[0]),
      );
    },
  },
  {
    id: 'agent-token',
    why: 'Agents are let in by access tokens that are for this gateway and, best, list their groups.',
    run({ agent, provider }) {
      if (agent === undefined) return undefined;
      const remedy = [
        'See the guide of the provider in docs/providers/, agents.',
        `mcp-gateway gateway doctor ${provider.name}`,
      ] as const;
      if (agent instanceof Failure)
        return not(
          'fail',
          `An access token of the gateway's own client is not accepted: ${agent.message}`,
          ...remedy,
        );
      if (agent.kind !== 'agent')
        return not('fail', "The gateway's own client passes for a person.", ...remedy);
      if (agent.groups.length > 0)
        return well(`An agent's token is accepted and lists ${agent.groups.length} group(s).`);
      return well(
        "An agent's token is accepted; it lists no groups, so agents get them from the table here.",
      );
    },
  },
];

function well(what: string): ReturnType<Check['run']> {
  return { level: 'ok', what };
}

function not(
  level: 'warn' | 'fail',
  what: string,
  portal: string,
  command: string,
): ReturnType<Check['run']> {
  return { level, what, remedy: { portal, command } };
}

function read(url: string | undefined): string {
  return `curl -sS "${url ?? ''}"`;
}
