import type { Diagnosis } from '../../../../contract/diagnosis/doctor.ts';
import { endingCredentials } from './checks/credentials.ts';
import { checks } from './checks/index.ts';
import { type DoctorWorld, type Facts, gatherFacts } from './facts.ts';

/** Looks at everything that the gateway needs of its Entra tenant, changes nothing, and never throws. */
export async function runEntraDoctor(world: DoctorWorld): Promise<Diagnosis> {
  return diagnose(await gatherFacts(world));
}

/** What the checks make of the facts. */
export function diagnose(facts: Facts): Diagnosis {
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
