import type { Diagnosis } from '../../../../contract/diagnosis/doctor.ts';
import type { Check } from './check.ts';
import { agentChecks } from './checks/agents.ts';
import { claimChecks } from './checks/claims.ts';
import { credentialChecks, endingCredentials } from './checks/credentials.ts';
import { groupChecks } from './checks/groups.ts';
import { permissionChecks } from './checks/permissions.ts';
import { registrationChecks } from './checks/registration.ts';
import { tenantChecks } from './checks/tenant.ts';
import { type DoctorWorld, type Facts, gatherFacts } from './facts.ts';

/** Every check, in the order in which they are read. */
const checks: readonly Check[] = [
  ...tenantChecks,
  ...credentialChecks,
  ...registrationChecks,
  ...permissionChecks,
  ...claimChecks,
  ...groupChecks,
  ...agentChecks,
];

/** Looks at everything that the gateway needs of its Entra tenant, changes nothing, and never throws. */
export async function runEntraDoctor(world: DoctorWorld): Promise<Diagnosis> {
  return diagnose(await gatherFacts(world));
}

/** What the checks make of the facts. */
function diagnose(facts: Facts): Diagnosis {
  const findings = checks.flatMap(({ id, group, why, run }) => {
    const verdict = run(facts);
    return verdict ? [{ id, group, why, ...verdict }] : [];
  });
  return {
    healthy: findings.every(({ level }) => level !== 'fail'),
    findings,
    credentials: endingCredentials(facts),
  };
}
