import { asFailure, Failure } from '../../failure/errors.ts';
import type { Directory, ServiceAccounts } from '../../iam/directory.ts';
import { seal, unseal } from '../../identity/keys.ts';
import { addRecord, changeRecord } from '../m2m-clients/store.ts';
import { forgetMade, rememberMade } from '../managed.ts';
import type { Progress, StepName, StoredJob } from './store.ts';
import type { JobsWorld } from './world.ts';

/** What a step has changed of a job. */
type Change = Partial<Progress> & { readonly secretSealed?: string };
type Step = (parts: StepParts) => Promise<Change>;

interface StepParts {
  readonly world: JobsWorld;
  readonly directory: Directory;
  readonly accounts: Makers;
  readonly job: StoredJob;
}

type Makers = Required<
  Pick<ServiceAccounts, 'create' | 'made' | 'enable' | 'addSecret' | 'permit' | 'verify' | 'remove'>
>;

/** What identifies the registration that a job makes, whatever happens to the job. */
function markerOf({ id }: Pick<StoredJob, 'id'>): string {
  return `mcp-gateway-m2m-${id}`;
}

/** The directory's functions that the steps need; refuses where it lacks one. */
export function makersOf({ serviceAccounts, provider }: Directory): Makers {
  const { create, made, enable, addSecret, permit, verify, remove } = serviceAccounts ?? {};
  if (create && made && enable && addSecret && permit && verify && remove)
    return { create, made, enable, addSecret, permit, verify, remove };
  throw new Failure(
    'directory_refused',
    `The gateway cannot create accounts for applications in ${provider}: create the account there, and register its client id here (mcp-gateway app register).`,
  );
}

/** Each step of an M2M account. All may be taken again: what is there already is found and not made twice. */
const steps: Readonly<Record<StepName, Step>> = {
  async created({ world, directory, accounts, job }) {
    const { name, progress } = job;
    const made = await accounts.create({ name, description: progress.description, marker: markerOf(job) });
    const its = { provider: directory.provider, kind: 'application', id: made.clientId } as const;
    await rememberMade(world.db, its, job.createdBy, new Date(world.now()).toISOString());
    return { account: { id: made.id, clientId: made.clientId } };
  },
  async principal({ accounts, job }) {
    const { id, clientId } = accountIn(job);
    const account = { id, clientId, name: job.name, description: null, principalId: null, enabled: true };
    const { principalId } = await accounts.enable(account);
    return { principalId };
  },
  async secret({ world, accounts, job }) {
    const { id } = accountIn(job);
    const made = await accounts.addSecret(id, { label: `job ${job.id}`, days: job.progress.secretDays });
    return { secretExpiresAt: made.expiresAt, secretSealed: seal(world.key, made.secret, job.id) };
  },
  async member({ directory, job }) {
    const { groups, principalId } = job.progress;
    const assigned: string[] = [];
    const failed: { group: string; reason: string }[] = [];
    let last: Failure | undefined;
    for (const { asked, id } of groups)
      try {
        await directory.memberships.add?.(id, principalId ?? '');
        assigned.push(asked);
      } catch (error) {
        last = asFailure(error);
        failed.push({ group: asked, reason: last.message });
      }
    // In none of its groups it is of no use; in some of them it is, and the answer says in which.
    if (last && assigned.length === 0) throw last;
    return { assigned, failed };
  },
  async role({ directory, accounts, job }) {
    // A gateway that may not give roles lists the account in ENTRA_ALLOWED_CLIENT_IDS instead.
    const { assignRoles } = await directory.capabilities();
    if (assignRoles) await accounts.permit(job.progress.principalId ?? '');
    return {};
  },
  async verified({ world, directory, accounts, job }) {
    const { clientId } = accountIn(job);
    if (job.secretSealed) await accounts.verify(clientId, unseal(world.key, job.secretSealed, job.id));
    await remember(world, directory, job);
    return {};
  },
};

/** Takes a step; answers the job with what has come of it. */
export async function takeStep(
  world: JobsWorld,
  directory: Directory,
  name: StepName,
  job: StoredJob,
): Promise<StoredJob> {
  const { secretSealed, ...change } = await steps[name]({
    ...{ world, directory, job },
    accounts: makersOf(directory),
  });
  const at = new Date(world.now()).toISOString();
  const progress = { ...job.progress, ...change, attempts: 0 };
  return {
    ...job,
    ...(secretSealed === undefined ? {} : { secretSealed, secretState: 'waiting' }),
    progress: { ...progress, doneAt: { ...progress.doneAt, [name]: at } },
    trouble: null,
    updatedAt: at,
  };
}

/** Removes all that a job has made, also what it does not know that it made. */
export async function undo(
  { db }: Pick<JobsWorld, 'db'>,
  directory: Directory,
  job: StoredJob,
): Promise<void> {
  const { made, remove } = makersOf(directory);
  const account = job.progress.account ?? (await made(markerOf(job)));
  if (!account) return;
  try {
    await remove(account.id);
  } catch (error) {
    if (asFailure(error).code !== 'not_found') throw error;
  }
  await forgetMade(db, { provider: directory.provider, kind: 'application', id: account.clientId });
}

function accountIn({ progress }: StoredJob): NonNullable<Progress['account']> {
  if (progress.account) return progress.account;
  throw new Failure('internal', 'A step of a job was taken before the one that it needs.');
}

/** The registry's own record: groups for tokens that list none. */
async function remember({ db, now }: JobsWorld, { provider }: Directory, job: StoredJob): Promise<void> {
  const at = new Date(now()).toISOString();
  const { assigned, groups, description } = job.progress;
  const record = {
    ...{ provider, clientId: accountIn(job).clientId.toLowerCase(), name: job.name, description },
    groups: groups.filter(({ asked }) => assigned.includes(asked)).map(({ mapping }) => mapping),
    ...{ isEnabled: true, source: provider, createdBy: job.createdBy, createdAt: at, updatedAt: at },
  };
  if (!(await addRecord(db, record))) await changeRecord(db, record);
}
