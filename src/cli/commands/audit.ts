import { type Command, Option } from 'commander';
import type { AuditEventShown } from '../../contract/audit.ts';
import { type Usage, usageKeys } from '../../contract/usage.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { type AuditFlags, askedBy } from '../input/audit-flags.ts';
import { auditFields, auditTable } from '../output/audit-view.ts';
import { pour, saveStream } from '../output/save-stream.ts';
import { table } from '../output/table.ts';

/** How long an export may take, in milliseconds. */
const patience = 3_600_000;
/** Events that the registry gives in one page. */
const pageSize = 500;

const kinds = ['mcp', 'api', 'change', 'sign-in', 'token'] as const satisfies AuditEventShown['kind'][];
const decisions = ['allow', 'deny', 'error'] as const satisfies AuditEventShown['decision'][];

/** The commands about the audit trail, for administrators and auditors. */
export const addAuditCommands: AddCommands = (program, on) => {
  const list = addCommand(program, 'audit-list', {
    summary: 'List events of the audit trail, newest first',
    examples: [
      'mcp-gateway audit-list --from 24h --decision deny',
      'mcp-gateway audit-list --kind change --resource /currenttime --json',
    ],
  });
  withFilters(list)
    .option('--limit <number>', 'how many at most', wholeNumber(1, 10_000), 50)
    .option('--cursor <cursor>', 'cursor from the previous list, for older events')
    .action(on(listEvents));

  addCommand(program, 'audit-show', {
    summary: 'Show one event in full; for a change also the values before and after',
    examples: ['mcp-gateway audit-show --id 01a215ba-3615-7001-ac40-e2814931b4c1'],
  })
    .requiredOption('--id <id>', 'id of the event, from the list of events')
    .action(on(showEvent));

  const exported = addCommand(program, 'audit-export', {
    summary: 'Export events of the audit trail with their details, as JSON lines or CSV',
    examples: [
      'mcp-gateway audit-export --from 7d --format csv --output audit.csv',
      'mcp-gateway audit-export --kind mcp | jq .tool',
    ],
  });
  withFilters(exported)
    .addOption(new Option('--format <format>', 'how').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--limit <number>', 'how many events at most', wholeNumber(1, 1_000_000), 100_000)
    .option('--output <file>', 'write to this file, readable only by you, instead of printing')
    .action(on(exportEvents));

  addCommand(program, 'audit-usage', {
    summary: 'Show calls, their duration, and the tokens that lists of tools cost',
    examples: [
      'mcp-gateway audit-usage --by client --from 7d',
      'mcp-gateway audit-usage --by tool --server currenttime',
    ],
  })
    .addOption(new Option('--by <key>', 'count by this').choices([...usageKeys]).default('server'))
    .option('--from <time>', 'since then: ISO 8601, or how long ago (90m, 24h, 7d)', '24h')
    .option('--server <name>', 'only this server')
    .option('--username <name>', 'only this person or application (full name)')
    .action(on(showUsage));
};

function withFilters(command: Command): Command {
  return command
    .option('--from <time>', 'events since then: ISO 8601, or how long ago (90m, 24h, 7d)')
    .option('--to <time>', 'events before then, in the same format')
    .addOption(new Option('--kind <kind>', 'only this kind').choices(kinds))
    .addOption(new Option('--decision <decision>', 'only events with this decision').choices(decisions))
    .addOption(
      new Option('--status <class>', 'only this class of HTTP status').choices([
        ...['1xx', '2xx', '3xx', '4xx', '5xx'],
      ]),
    )
    .option('--username <text>', 'part of the user name')
    .option('--subject <id>', 'the stable id of a person or agent at the provider')
    .option('--client-id <id>', 'client id of the application')
    .option('--action <name>', 'MCP method, or id of the API endpoint')
    .option('--resource <name>', "the server's name, a path or an id")
    .option('--tool <name>', 'the tool that was called')
    .option('--correlation-id <id>', 'correlation id, as in the X-Correlation-Id header')
    .option('--query <text>', 'part of user, application, address, action, resource, tool or reason');
}

async function listEvents(
  { api, output }: Run,
  flags: AuditFlags & { limit: number; cursor?: string },
): Promise<void> {
  const call = await api();
  const asked = askedBy(flags, Date.now());
  const events: AuditEventShown[] = [];
  let cursor = flags.cursor ?? null;
  // A page may be short, or empty, before the end of the trail.
  do {
    const limit = Math.min(pageSize, flags.limit - events.length);
    const page = await call('audit.list', { query: { ...asked, limit, ...(cursor ? { cursor } : {}) } });
    events.push(...page.events);
    cursor = page.next_cursor;
  } while (cursor !== null && events.length < flags.limit);
  output.result({ events, next_cursor: cursor }, (paint, room) =>
    events.length ? auditTable(events, room, paint) : '',
  );
  if (output.json) return;
  if (events.length === 0) output.note('No events.');
  if (cursor !== null) output.note(`For older events: --cursor ${cursor}`);
}

async function showEvent({ api, output }: Run, { id }: { id: string }): Promise<void> {
  const event = await (await api())('audit.get', { params: { id } });
  output.result(event, (paint) => auditFields(event, paint));
}

async function exportEvents(
  { api, output, terminal }: Run,
  flags: AuditFlags & { format: string; limit: number; output?: string },
): Promise<void> {
  const { limit, output: file } = flags;
  const format = flags.format === 'csv' ? 'csv' : 'jsonl';
  const call = await api();
  const stream = await call('audit.export', {
    query: { ...askedBy(flags, Date.now()), format, limit },
    signal: AbortSignal.timeout(patience),
  });
  if (file === undefined) return pour(stream, terminal.stdout);
  const bytes = await saveStream(terminal.cwd, file, stream);
  output.result({ file, format, bytes }, () => `Wrote ${file} (${bytes} bytes).`);
}

async function showUsage(
  { api, output }: Run,
  { by, from, server, username }: { by: (typeof usageKeys)[number] } & UsageFlags,
): Promise<void> {
  const since = askedBy({ from }, Date.now()).from;
  const shown = await (await api())('usage.read', {
    query: {
      by,
      ...(since === undefined ? {} : { from: since }),
      ...(server === undefined ? {} : { server }),
      ...(username === undefined ? {} : { username }),
    },
  });
  output.result(shown, (paint, room) => {
    if (shown.rows.length === 0) return '';
    type Row = Usage['rows'][number];
    const ms = (value: number | null): string => (value === null ? '-' : `${value} ms`);
    const columns = [
      { title: by.toUpperCase(), show: (one: Row) => one.key },
      { title: 'CALLS', show: (one: Row) => String(one.calls) },
      { title: 'ERRORS', show: (one: Row) => String(one.errors) },
      { title: 'DENIED', show: (one: Row) => String(one.denied) },
      { title: 'MEDIAN', show: (one: Row) => ms(one.p50_ms) },
      { title: '95 %', show: (one: Row) => ms(one.p95_ms) },
      { title: 'TOKENS IN LISTS', show: (one: Row) => String(one.list_tokens) },
    ];
    return table(shown.rows, columns, room, paint);
  });
  if (!output.json && shown.rows.length === 0) output.note('No calls in this period.');
}

interface UsageFlags {
  from?: string;
  server?: string;
  username?: string;
}
