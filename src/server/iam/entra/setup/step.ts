import type { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import { type Graph, keyed } from '../../../provider/graph.ts';
import type { Pause } from '../../../provider/retry.ts';
import type { SetupFiles } from '../../setup/files.ts';
import { settingsBlock } from '../../setup/settings-block.ts';
import type { Step as AnyStep } from '../../setup/step.ts';
import {
  type Application,
  application,
  graphAppId,
  group,
  type ServicePrincipal,
  servicePrincipal,
} from '../objects.ts';
import { settled } from '../settled.ts';
import type { GroupWish, Wish } from './wish.ts';

/** What the steps work with. */
export interface SetupWorld {
  readonly wish: Wish;
  readonly graph: Graph;
  readonly tenantId: string;
  /** Who signed in to do this. */
  readonly administrator: { readonly objectId: string; readonly username: string };
  /** Tells who runs setup what was done besides the plan. */
  readonly say: (line: string) => void;
  readonly files: SetupFiles;
  readonly now: () => number;
  readonly pause: Pause;
  readonly newId: () => string;
  /** Makes a SECRET_KEY. */
  readonly newKey: () => string;
}

/** What setup writes to `.env`. */
export const block = settingsBlock('entra');

/** A step of setting a tenant up. */
export type Step = AnyStep<SetupWorld>;

/** The gateway's registration, if it is there. */
export function findApplication({ graph, wish }: SetupWorld): Promise<Application | undefined> {
  return graph.find(keyed('applications', 'uniqueName', wish.uniqueName), application);
}

/** The gateway's registration, waited for: what was just made is not everywhere at once. */
export function needApplication(world: SetupWorld): Promise<Application> {
  return settled(world, async () => present(await findApplication(world), 'registration'));
}

/** The service principal of an application, if it is there. */
export function findPrincipal({ graph }: SetupWorld, appId: string): Promise<ServicePrincipal | undefined> {
  return graph.find(keyed('servicePrincipals', 'appId', appId), servicePrincipal);
}

/** The service principal of an application, waited for. */
export function needPrincipal(world: SetupWorld, appId: string): Promise<ServicePrincipal> {
  return settled(world, async () => present(await findPrincipal(world, appId), 'enterprise application'));
}

/** Microsoft Graph in this tenant: its permissions are looked up by value, since lists of their ids disagree. */
export function graphPrincipal(world: SetupWorld): Promise<ServicePrincipal> {
  return needPrincipal(world, graphAppId);
}

/** A group that setup made, if it is there. */
export function findGroup(
  { graph }: SetupWorld,
  { uniqueName }: GroupWish,
): Promise<z.output<typeof group> | undefined> {
  return graph.find(keyed('groups', 'uniqueName', uniqueName), group);
}

/** That group, waited for. */
export function needGroup(world: SetupWorld, wish: GroupWish): Promise<z.output<typeof group>> {
  return settled(world, async () => present(await findGroup(world, wish), `group ${wish.displayName}`));
}

function present<T>(found: T | undefined, what: string): T {
  if (found !== undefined) return found;
  throw new Failure('not_found', `The ${what} is not there yet.`);
}
