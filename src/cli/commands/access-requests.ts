import { Option } from 'commander';
import type { AccessRequest } from '../../contract/people/access-requests.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { namesIn } from '../input/group-names.ts';
import { orNotFound } from '../not-found.ts';
import type { Paint } from '../output/output.ts';
import { fields, table } from '../output/table.ts';
import { misuse } from '../trouble.ts';

interface IdFlag {
  id: string;
}

const example = '5f0c7f1e-8d1b-4d4e-9d5e-2f1f0a3f9c11';
const whichThereAre = orNotFound('Run `mcp-gateway request list` to see the requests.');

/** The commands about requests for access to servers. */
export const addAccessRequestCommands: AddCommands = (program, on) => {
  addCommand(program, 'access-request-list', {
    summary: 'List your requests for access, and those that you can decide',
    examples: [
      'mcp-gateway access-request-list',
      'mcp-gateway access-request-list --of decide --status pending',
    ],
  })
    .addOption(
      new Option('--of <whose>', 'only your own, or only those that you can decide').choices([
        'mine',
        'decide',
      ]),
    )
    .addOption(
      new Option('--status <status>', 'only those').choices([
        'pending',
        'granted',
        'declined',
        'withdrawn',
        'ended',
      ]),
    )
    .option('--path <path>', 'only for this server')
    .option('--limit <number>', 'how many at most', wholeNumber(1, 500), 100)
    .action(on(list));
  addCommand(program, 'access-request-create', {
    summary: 'Ask for access to a server',
    examples: ['mcp-gateway access-request-create --path /currenttime --reason "Dates in the weekly report"'],
  })
    .requiredOption('--path <path>', 'the path of the server')
    .requiredOption('--reason <text>', 'what you need it for')
    .action(on(create));
  addCommand(program, 'access-request-grant', {
    summary: 'Grant a request: for a server of yours, or as an administrator',
    examples: [
      `mcp-gateway access-request-grant --id ${example} --tools get_time,convert_time --hours 8`,
      `mcp-gateway access-request-grant --id ${example} --every-tool`,
    ],
  })
    .addOption(idOption())
    .option('--tools <a,b>', 'the tools to allow, separated by commas')
    .option('--every-tool', 'all tools of the server, including future ones')
    .option('--hours <number>', 'hours until access ends (default: no end)', wholeNumber(1))
    .option('--note <text>', 'a message to the person', '')
    .action(on(grant));
  addCommand(program, 'access-request-decline', {
    summary: 'Decline a request',
    examples: [`mcp-gateway access-request-decline --id ${example} --note "Use the staging server"`],
  })
    .addOption(idOption())
    .option('--note <text>', 'a message to the person', '')
    .action(on(decline));
  addCommand(program, 'access-request-withdraw', {
    summary: 'Withdraw your own pending request',
    examples: [`mcp-gateway access-request-withdraw --id ${example}`],
  })
    .addOption(idOption())
    .action(on(withdraw));
  addCommand(program, 'access-request-end', {
    summary: 'End access that was granted on request, immediately',
    examples: [`mcp-gateway access-request-end --id ${example}`],
  })
    .addOption(idOption())
    .action(on(end));
};

function idOption(): Option {
  return new Option('--id <id>', 'id of the request, from `request list`').makeOptionMandatory();
}

interface ListFlags {
  of?: 'mine' | 'decide';
  status?: AccessRequest['status'];
  path?: string;
  limit: number;
}

async function list({ api, output }: Run, { of, status, path, limit }: ListFlags): Promise<void> {
  const query = { ...(of ? { of } : {}), ...(status ? { status } : {}), ...(path ? { path } : {}), limit };
  const found = await (await api())('accessRequests.list', { query });
  output.result(found, (paint, room) =>
    found.requests.length === 0
      ? ''
      : table(
          found.requests,
          [
            { title: 'ID', show: ({ id }) => id },
            { title: 'WHO', show: ({ username }) => username },
            { title: 'SERVER', show: ({ path: of }) => of },
            { title: 'STATUS', show: ({ status: is }) => is },
            { title: 'ASKED', show: ({ created_at }) => created_at },
            { title: 'ENDS', show: ({ ends_at }) => ends_at ?? '-' },
            { title: 'REASON', show: ({ reason }) => reason },
          ],
          room,
          paint,
        ),
  );
  if (output.json) return;
  if (found.requests.length === 0) output.note('No requests.');
  else if (found.total_count > found.requests.length)
    output.note(
      `${found.requests.length} of ${found.total_count}; for more: --limit, or narrow with --status.`,
    );
}

async function create({ api, output }: Run, body: { path: string; reason: string }): Promise<void> {
  const { path, reason } = body;
  const made = await (await api())('accessRequests.create', { body: { path, reason } });
  output.result(made, (paint) => requestFields(made, paint));
  if (!output.json)
    output.note(
      'An administrator, or the owner of the server, decides. Run `mcp-gateway request list` to see the answer.',
    );
}

interface GrantFlags extends IdFlag {
  tools?: string;
  everyTool?: true;
  hours?: number;
  note: string;
}

async function grant({ api, output }: Run, { id, tools, everyTool, hours, note }: GrantFlags): Promise<void> {
  if ((tools === undefined) === (everyTool === undefined))
    throw misuse(
      'The tools to grant are missing.',
      'Name the tools, as in --tools a,b, or allow every one with --every-tool.',
    );
  const body = {
    tools: everyTool ? ('all' as const) : namesIn(tools ?? '', 'none'),
    ...{ hours: hours ?? null, note },
  };
  const call = await api();
  const made = await call('accessRequests.grant', { params: { id }, body }).catch(whichThereAre);
  output.result(made, (paint) => requestFields(made, paint));
}

async function decline({ api, output }: Run, { id, note }: IdFlag & { note: string }): Promise<void> {
  const call = await api();
  const made = await call('accessRequests.decline', { params: { id }, body: { note } }).catch(whichThereAre);
  output.result(made, () => plainLine(`Declined the request of ${made.username} for ${made.path}.`));
}

async function withdraw({ api, output }: Run, { id }: IdFlag): Promise<void> {
  const call = await api();
  const made = await call('accessRequests.withdraw', { params: { id } }).catch(whichThereAre);
  output.result(made, () => plainLine(`Withdrew your request for ${made.path}.`));
}

async function end({ api, output }: Run, { id }: IdFlag): Promise<void> {
  const call = await api();
  const made = await call('accessRequests.end', { params: { id } }).catch(whichThereAre);
  output.result(made, () => plainLine(`Ended the access of ${made.username} to ${made.path}.`));
}

function requestFields(request: AccessRequest, paint: Paint): string {
  return fields(
    [
      ['ID', request.id],
      ['Who', request.username],
      ['Server', request.path],
      ['Reason', request.reason],
      ['Status', request.status],
      ...(request.status === 'granted'
        ? [
            ['Tools', request.tools?.join(', ') ?? 'every one'] as const,
            ['Until', request.ends_at ?? 'without an end'] as const,
          ]
        : []),
    ],
    paint,
  );
}
