import type { z } from 'zod';
import type { Api } from '../contract/client.ts';
import type { Job, jobEndpoints } from '../contract/people/jobs.ts';
import type { Run } from './command.ts';
import { namesIn, warnOfGroups } from './input/group-names.ts';
import { orNotFound } from './not-found.ts';
import { secretLines } from './output/user-view.ts';
import { asTrouble, Trouble } from './trouble.ts';

/** How often a job is looked at, in milliseconds. */
const lookEvery = 500;

type WholeJob = z.output<(typeof jobEndpoints)['jobs.get']['output']>;

/** The options of `user-create-m2m`. */
export interface M2mFlags {
  name: string;
  groups: string;
  description?: string;
  secretDays?: number;
}

/** The action of `user-create-m2m`: begins the job, says how far it is, and shows the account and its secret. */
export async function createM2m(run: Run, flags: M2mFlags): Promise<number> {
  const { api, output, terminal } = run;
  const { name, groups, description, secretDays } = flags;
  const body = {
    ...{ name, groups: namesIn(groups) },
    ...(description === undefined ? {} : { description }),
    ...(secretDays === undefined ? {} : { secret_days: secretDays }),
  };
  const call = await api();
  const begun = await call('users.createM2m', { query: { wait: 'false' }, body });
  const job = await terminal.untilInterrupted((signal) => watch(run, call, begun.job.id, signal));
  if (job.state !== 'done') throw notDone(job);
  const { account } = job;
  const { client_secret, secret_expires_at } =
    // A job that was quicker than its answer has handed the secret out with it.
    begun.client_secret === null ? await secretOf(call, job) : begun;
  const { id, state, steps } = job;
  const made = { ...account, client_secret, secret_expires_at, job: { id, state, steps } };
  output.result(made, () =>
    secretLines([
      ['Client ID', account.client_id],
      ['Client Secret', client_secret],
      ['Groups', account.groups_assigned.join(', ') || 'none'],
      ['Service Principal ID', account.service_principal_id],
    ]),
  );
  if (!output.json) output.note(secretEnd(secret_expires_at));
  return warnOfGroups(run, account.groups_failed);
}

/** Until when a secret is valid, in words. */
export function secretEnd(expiresAt: string | null): string {
  return expiresAt ? `The secret is valid until ${expiresAt}.` : 'The secret has no end.';
}

/** Looks at a job until it has ended, and says each thing about it once. */
async function watch(
  { output, terminal }: Run,
  call: Api,
  id: string,
  signal: AbortSignal,
): Promise<WholeJob> {
  const said = new Set<string>();
  const say = (text: string): void => {
    if (said.has(text)) return;
    said.add(text);
    if (!output.json) output.note(text);
  };
  for (;;) {
    const job = await call('jobs.get', { params: { id } }).catch((error: unknown) => {
      const { message, about } = asTrouble(error);
      throw new Trouble(message, { ...about, remedy: [about.remedy, later(id)].filter(Boolean).join('\n') });
    });
    for (const text of progress(job)) say(text);
    if (job.state !== 'running' && job.state !== 'undoing') return job;
    if (signal.aborted)
      throw new Trouble('The registry continues the job; only this command has stopped.', {
        remedy: later(id),
      });
    await terminal.clock.pause(lookEvery, signal);
  }
}

/** What to do about a job that nobody watches any more. */
function later(id: string): string {
  return `Run \`mcp-gateway app jobs\` to see its progress, and \`mcp-gateway app job-secret ${id}\` when it is done.`;
}

/** What is there when a step is done. */
const stepWords: Readonly<Record<string, string>> = {
  created: 'registered in the directory',
  principal: 'has a service principal',
  secret: 'has a secret',
  member: 'is in its groups',
  role: 'may ask for tokens',
  verified: 'gets tokens',
};

function progress(job: Job): string[] {
  const done = job.steps.filter(({ state }) => state === 'done').length;
  const lines = job.steps
    .slice(0, done)
    .map(({ name }, at) => `[${at + 1}/${job.steps.length}] ${stepWords[name] ?? name}`);
  const going = job.state === 'running' || job.state === 'undoing';
  if (going && job.trouble) lines.push(`waiting: ${job.trouble.detail}`);
  if (job.state === 'undoing') lines.push('It failed; what was created is being removed.');
  return lines;
}

function notDone({ id, state, trouble, account }: WholeJob): Trouble {
  const why = trouble?.detail ?? 'no reason was given';
  const about = { code: trouble?.code ?? state };
  if (state === 'undone')
    return new Trouble(`The account was not created: ${why}`, {
      ...about,
      remedy: 'Nothing of it is left. Fix the reason, and run the command again.',
    });
  const left = [
    ['application', account.client_uuid],
    ['service principal', account.service_principal_id],
  ].filter(([, one]) => one !== null);
  return new Trouble(`The account was not created, and what was created could not be removed: ${why}`, {
    ...about,
    faults: left.map(([what, one]) => `${what} ${one} is left in the directory`),
    remedy: `Remove it in the directory, or with \`mcp-gateway user remove ${account.client_id ?? id}\`.`,
  });
}

async function secretOf(call: Api, { id, account }: WholeJob) {
  const made = await call('jobs.secret', { params: { id } }).catch(
    orNotFound(
      `Create a new secret with \`mcp-gateway app rotate-secret ${account.client_id ?? 'CLIENT_ID'}\`.`,
      'The account was created, but its secret cannot be fetched any more.',
      ['not_found', 'conflict'],
    ),
  );
  return { client_secret: made.client_secret, secret_expires_at: made.expires_at };
}
