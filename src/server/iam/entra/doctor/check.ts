import type { Finding } from '../../../../contract/diagnosis/doctor.ts';
import { Failure } from '../../../failure/errors.ts';
import type { Facts } from './facts.ts';

/** One check: a row of its list. It judges facts and asks nothing. */
export interface Check {
  readonly id: string;
  readonly group: string;
  /** Why this matters; every finding of the check says so. */
  readonly why: string;
  /** No verdict means: there was nothing to judge, because something before it failed. */
  run(facts: Facts): Verdict | undefined;
}

/** What a check says. */
export type Verdict = Pick<Finding, 'level' | 'what' | 'remedy'>;

/** All is well. */
export function well(what: string): Verdict {
  return { level: 'ok', what };
}

/** Something is not as it should be, and this is what to do, by hand or with a command. */
export function not(level: 'warn' | 'fail', what: string, portal: string, command: string): Verdict {
  return { level, what, remedy: { portal, command } };
}

/** True for a fact that was asked for and answered. */
export function isKnown<T>(fact: T): fact is Exclude<T, Failure | undefined> {
  return fact !== undefined && !(fact instanceof Failure);
}

/** Where the gateway's registration is in the portal. */
export function registrationPage(page: string): string {
  return `Microsoft Entra ID > App registrations > the gateway's registration > ${page}`;
}

/** A Graph call that changes the gateway's registration. */
export function patchApplication({ config }: Facts, body: object): string {
  return `az rest --method PATCH --url "${config.graphBaseUrl}/v1.0/applications(appId='${config.clientId}')" --body '${JSON.stringify(body)}'`;
}

/** Where it does not matter which of many settings is wrong: the command that puts all of them right. */
export const setupCommand = 'mcp-gateway gateway setup entra';
