import { optionalClaims } from '../../needs.ts';
import { type Check, isKnown, not, patchApplication, registrationPage, well } from '../check.ts';

const group = 'Claims';

/** Whether tokens will carry what the gateway reads. */
export const claimChecks: readonly Check[] = [
  {
    id: 'group-claims',
    group,
    why: 'Access follows from groups; a token without them gives none.',
    run(facts) {
      if (!isKnown(facts.application)) return undefined;
      const set = facts.application.groupMembershipClaims ?? 'None';
      if (/SecurityGroup|All/.test(set)) return well('Tokens list the security groups.');
      if (/ApplicationGroup/.test(set))
        return well('Tokens list the groups that are assigned to the application (direct members only).');
      return not(
        'fail',
        'Tokens list no groups: the groups claim is not configured.',
        registrationPage(
          'Token configuration > Add groups claim > Security groups, Group ID (guide, step 7)',
        ),
        patchApplication(facts, { groupMembershipClaims: 'SecurityGroup' }),
      );
    },
  },
  {
    id: 'optional-claims',
    group,
    why: 'Names and addresses in the log and the UI, sign-out without asking which account, and agents distinguished from people.',
    run(facts) {
      const { application } = facts;
      if (!isKnown(application)) return undefined;
      const missing = Object.entries(optionalClaims).flatMap(([token, names]) => {
        const set = application.optionalClaims?.[token as keyof typeof optionalClaims] ?? [];
        const absent = names.filter((name) => !set.some((claim) => claim.name === name));
        return absent.map((name) => `${name} (${token})`);
      });
      if (missing.length === 0) return well('The optional claims are configured.');
      return not(
        'warn',
        `These optional claims are not configured: ${missing.join(', ')}.`,
        registrationPage('Token configuration > Add optional claim (guide, step 6)'),
        patchApplication(facts, {
          optionalClaims: Object.fromEntries(
            Object.entries(optionalClaims).map(([token, names]) => [token, names.map((name) => ({ name }))]),
          ),
        }),
      );
    },
  },
];
