import type { Check } from '../check.ts';
import { agentChecks } from './agents.ts';
import { claimChecks } from './claims.ts';
import { credentialChecks } from './credentials.ts';
import { groupChecks } from './groups.ts';
import { permissionChecks } from './permissions.ts';
import { registrationChecks } from './registration.ts';
import { tenantChecks } from './tenant.ts';

/** Every check, in the order in which they are read. */
export const checks: readonly Check[] = [
  ...tenantChecks,
  ...credentialChecks,
  ...registrationChecks,
  ...permissionChecks,
  ...claimChecks,
  ...groupChecks,
  ...agentChecks,
];
