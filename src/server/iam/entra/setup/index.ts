import { consentSteps } from './consent.ts';
import { groupSteps } from './groups.ts';
import { registrationSteps } from './registration.ts';
import { scopesSteps } from './scopes-file.ts';
import { secretSteps } from './secret.ts';
import { settingSteps } from './settings-of-registration.ts';
import type { Step } from './step.ts';

/** Every step, in the order in which they are taken; they are undone in the reverse order. */
export const steps: readonly Step[] = [
  ...registrationSteps,
  ...settingSteps,
  ...consentSteps,
  ...groupSteps,
  ...secretSteps,
  ...scopesSteps,
];
