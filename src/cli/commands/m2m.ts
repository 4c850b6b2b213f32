import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { createM2m, secretEnd } from '../create-m2m.ts';
import { orNotFound } from '../not-found.ts';
import { jobTable, secretLines } from '../output/user-view.ts';

const secretDays = [
  '--secret-days <number>',
  'days that the secret is valid (default: as long as the registry allows)',
  wholeNumber(1, 730),
] as const;
/** The commands about accounts of applications (M2M) and the jobs that make them. */
export const addM2mCommands: AddCommands = (program, on) => {
  addCommand(program, 'user-create-m2m', {
    summary: 'Create an account for an application in the directory, and show its secret once',
    examples: [
      'mcp-gateway user-create-m2m --name my-ai-agent --groups public-mcp-users --description "AI coding assistant service account"',
      'mcp-gateway user-create-m2m --name ci-pipeline --groups team --secret-days 90 --json > ci-pipeline.json',
    ],
  })
    .requiredOption('--name <name>', 'name of the application')
    .requiredOption('--groups <a,b>', 'groups by name or id, separated by commas')
    .option('--description <text>', 'what it is for')
    .option(...secretDays)
    .action(on(createM2m));

  addCommand(program, 'm2m-rotate-secret', {
    summary: 'Create a new secret for an application and show it once; the old ones keep working for a while',
    examples: [
      'mcp-gateway m2m-rotate-secret --client-id 6b1f0c1e-0000-4000-8000-000000000001',
      'mcp-gateway m2m-rotate-secret --client-id 6b1f0c1e-0000-4000-8000-000000000001 --overlap-days 0',
    ],
  })
    .requiredOption('--client-id <id>', 'client id of the account')
    .option('--overlap-days <number>', 'days that the old secrets keep working', wholeNumber(0, 90), 7)
    .option(...secretDays)
    .action(on(rotate));
  addJobs(program, on);
};

const addJobs: AddCommands = (program, on) => {
  addCommand(program, 'job-list', {
    summary: 'List the jobs of the last 30 days that create accounts',
    examples: ['mcp-gateway job-list', 'mcp-gateway job-list --json'],
  })
    .option('--limit <number>', 'how many at most', wholeNumber(1, 500), 100)
    .action(on(listJobs));

  addCommand(program, 'job-secret', {
    summary: 'Get the secret that a job created: once, within 24 hours',
    examples: ['mcp-gateway job-secret --id 3'],
  })
    .requiredOption('--id <id>', 'id of the job, from `app jobs`')
    .action(on(fetchSecret));
};

interface RotateFlags {
  clientId: string;
  overlapDays: number;
  secretDays?: number;
}

async function rotate({ api, output }: Run, flags: RotateFlags): Promise<void> {
  const { clientId: client_id, overlapDays: overlap_days, secretDays: secret_days } = flags;
  const made = await (await api())('users.rotateSecret', {
    params: { client_id },
    body: { overlap_days, ...(secret_days === undefined ? {} : { secret_days }) },
  }).catch(orNotFound('Run `mcp-gateway app list` to see the applications.'));
  output.result(made, () => shownOnce(made));
  if (output.json) return;
  output.note(secretEnd(made.expires_at));
  for (const { key_id, removed_at } of made.old_secrets)
    output.note(`The old secret ${key_id} stops working at ${removed_at}.`);
}

async function listJobs({ api, output }: Run, { limit }: { limit: number }): Promise<void> {
  const page = await (await api())('jobs.list', { query: { limit } });
  output.result(page, (paint, room) => (page.jobs.length ? jobTable(page.jobs, room, paint) : ''));
  if (output.json) return;
  if (page.jobs.length === 0) output.note('No jobs.');
  else if (page.total > page.jobs.length)
    output.note(`${page.jobs.length} of ${page.total}; for more: --limit`);
}

async function fetchSecret({ api, output }: Run, { id }: { id: string }): Promise<void> {
  const made = await (await api())('jobs.secret', { params: { id } }).catch(
    orNotFound('Run `mcp-gateway app jobs` to see the jobs.'),
  );
  output.result(made, () => shownOnce(made));
  if (!output.json) output.note(secretEnd(made.expires_at));
}

function shownOnce({ client_id, client_secret }: { client_id: string; client_secret: string }): string {
  return secretLines([
    ['Client ID', client_id],
    ['Client Secret', client_secret],
  ]);
}
