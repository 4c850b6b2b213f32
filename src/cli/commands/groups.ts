import { type Command, Option } from 'commander';
import type { Api } from '../../contract/client.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run } from '../command.ts';
import { importGroup } from '../import-group.ts';
import { confirm } from '../input/confirm.ts';
import { namesIn } from '../input/group-names.ts';
import { orNotFound } from '../not-found.ts';
import { groupSections, groupTable, scopeChange, scopeFields } from '../output/group-view.ts';
import { fields } from '../output/table.ts';
import { misuse } from '../trouble.ts';

interface Named {
  name: string;
}

/** The commands about scopes and the groups that hold them. */
export const addGroupCommands: AddCommands = (program, on) => {
  addScopeChanges(program, on);
  addScopeLooks(program, on);
  addServersOfGroups(program, on);
  addDirectoryGroups(program, on);
};

const addScopeChanges: AddCommands = (program, on) => {
  addCommand(program, 'import-group', {
    summary: 'Create or replace a scope from a JSON file (takes effect immediately)',
    examples: [
      'mcp-gateway import-group --file examples/public-mcp-users.json',
      'mcp-gateway import-group --file - --json < team.json',
    ],
  })
    .requiredOption('--file <file>', 'group definition file; - reads standard input')
    .action(on(importGroup));

  const create = addCommand(program, 'create-group', {
    summary:
      'Create an empty scope; add --idp for a group in the directory too. (group-create does the same, and prints the group instead of the scope)',
    examples: ['mcp-gateway create-group --name team --description "A team" --idp'],
  });
  newGroupOptions(create).action(on(createGroup));

  addCommand(program, 'delete-group', {
    summary: 'Remove a scope, and the directory group that was created with it (asks first)',
    examples: ['mcp-gateway delete-group --name team', 'mcp-gateway delete-group --name team --no-idp --yes'],
  })
    .addOption(nameOption())
    .option('--idp', 'remove its group in the directory too, even if it was not created with the scope')
    .option('--no-idp', 'keep its group in the directory')
    .option('--force', 'do not ask, and remove even a scope that the built-in roles use')
    .action(on(deleteGroup));
};

const addScopeLooks: AddCommands = (program, on) => {
  addCommand(program, 'list-groups', {
    summary: 'List scopes and directory groups, and how they belong together',
    examples: ['mcp-gateway list-groups', 'mcp-gateway list-groups --no-keycloak --json'],
  })
    .option('--no-keycloak', 'leave the groups of the directory out (any identity provider)')
    .option('--no-scopes', 'leave the scopes out')
    .action(on(listGroups));

  addCommand(program, 'describe-group', {
    summary: 'Show one scope',
    examples: ['mcp-gateway describe-group --name public-mcp-users'],
  })
    .addOption(nameOption())
    .action(on(describeGroup));

  addCommand(program, 'access-explain', {
    summary:
      'Show whether a call would be allowed, and by which scope and rule; exit code 1 if denied (for administrators)',
    examples: [
      'mcp-gateway access-explain --username bob@contoso.example --server currenttime --tool current_time_by_timezone',
      'mcp-gateway access-explain --groups team,public-mcp-users --server currenttime --method tools/list',
    ],
  })
    .option('--username <name>', 'a person who has signed in, or an application by client id or name')
    .option('--groups <names>', 'members of these groups instead, separated by commas')
    .requiredOption('--server <name>', 'the server, such as currenttime')
    .option('--tool <name>', 'the tool that is called')
    .option('--method <name>', 'the MCP method (default: tools/call with a tool, else tools/list)')
    .option('--client <id>', 'the MCP client that calls, by id or alias')
    .action(on(explainCall));
};

const addServersOfGroups: AddCommands = (program, on) => {
  for (const [name, summary] of [
    ['add-to-groups', 'Give groups access to a server with all its tools'],
    ['remove-from-groups', 'Remove all access of groups to a server'],
  ] as const)
    addCommand(program, name, {
      summary,
      examples: [`mcp-gateway ${name} --server currenttime --groups team,public-mcp-users`],
    })
      .requiredOption('--server <name>', 'the server, such as currenttime')
      .requiredOption('--groups <names>', 'groups, separated by commas')
      .action(on((run: Run, options: ServerOfGroups) => changeServer(run, options, name)));
};

const addDirectoryGroups: AddCommands = (program, on) => {
  const create = addCommand(program, 'group-create', {
    summary:
      'Create a group: a scope and, with --idp, a group in the directory. (create-group does the same, and prints the scope)',
    examples: ['mcp-gateway group-create --name team --description "A team" --idp'],
  });
  newGroupOptions(create).action(on(makeGroup));

  addCommand(program, 'group-delete', {
    summary: 'Remove a scope, and the directory group that was created with it (asks first)',
    examples: ['mcp-gateway group-delete --name team --force'],
  })
    .addOption(nameOption())
    .option('--force', 'do not ask')
    .action(on(removeGroup));

  addCommand(program, 'group-list', {
    summary: 'List the groups of the directory, and scopes without one',
    examples: ['mcp-gateway group-list', 'mcp-gateway group-list --json'],
  }).action(on(showGroups));
};

function nameOption(): Option {
  return new Option('--name <name>', 'name of the group').makeOptionMandatory();
}

function newGroupOptions(command: Command): Command {
  return command
    .addOption(nameOption())
    .option('--description <text>', 'what it is for')
    .option('--idp', 'create a group in the directory too, and assign the scope to it');
}

interface NewGroup extends Named {
  description?: string;
  idp?: boolean;
}

async function createGroup(
  { api, output }: Run,
  { name, description, idp = false }: NewGroup,
): Promise<void> {
  const body = {
    group_name: name,
    create_in_idp: idp,
    ...(description === undefined ? {} : { description }),
  };
  const answer = await (await api())('scopes.create', { body });
  output.result(answer, (paint) => scopeChange(answer, paint));
  if (!output.json) for (const warning of answer.warnings) output.warn(warning);
}

async function deleteGroup(
  run: Run,
  { name, idp, force = false }: Named & { idp?: boolean; force?: boolean },
): Promise<void> {
  const also = {
    true: ' and its group in the directory',
    false: '',
    undefined: ' and, if it was created with the scope, its group in the directory',
  }[`${idp}` as const];
  await removing(run, { name, force, also }, async (call) => {
    const fromIdp = idp ?? (await call('scopes.get', { params: { name } })).is_idp_managed;
    const body = { group_name: name, delete_from_idp: fromIdp, force };
    const { idp_deleted, idp_skip_reason } = await call('scopes.delete', { body });
    return { idp_deleted, idp_skip_reason };
  });
}

async function removeGroup(run: Run, { name, force = false }: Named & { force?: boolean }): Promise<void> {
  const also = ' and, if it was created with the scope, its group in the directory';
  await removing(run, { name, force, also }, async (call) => {
    const { idp_deleted, idp_skip_reason } = await call('groups.remove', { params: { name } });
    return { idp_deleted, idp_skip_reason };
  });
}

/** What is said of a group that stays in the directory. */
const stays: Readonly<Record<string, string>> = {
  forbidden: 'The gateway is not allowed to remove groups in the directory, so that group was kept.',
  not_found: 'The group in the directory no longer existed.',
  not_managed:
    'The group in the directory was kept: the gateway does not manage it, or a group inside it (IAM_MANAGES).',
  local_only: 'No group in the directory was removed: none was created with the scope.',
};

async function removing(
  { api, output, terminal }: Run,
  { name, force, also }: { name: string; force: boolean; also: string },
  remove: (call: Api) => Promise<{ idp_deleted: boolean; idp_skip_reason: string | null }>,
): Promise<void> {
  const call = await api();
  const deleted = force || (await confirm(`Remove the group '${name}'${also}?`, terminal));
  const done = deleted ? await remove(call).catch(elsewhere(name)) : undefined;
  output.result({ group_name: name, deleted, ...done }, () => (deleted ? plainLine(`Removed ${name}.`) : ''));
  if (!deleted) output.note('Nothing was removed.');
  if (output.json || !done) return;
  if (done.idp_deleted) output.note('Its group in the directory was removed too.');
  else if (done.idp_skip_reason) output.note(stays[done.idp_skip_reason] ?? done.idp_skip_reason);
}

async function listGroups(
  { api, output }: Run,
  { keycloak, scopes }: { keycloak: boolean; scopes: boolean },
): Promise<void> {
  const answer = await (await api())('scopes.list', {
    query: { include_keycloak: `${keycloak}`, include_scopes: `${scopes}` },
  });
  output.result(answer, (paint, room) => groupSections(answer, room, paint));
  if (output.json) return;
  if (answer.directory_fault)
    output.warn(`the groups of the directory cannot be shown, only the scopes: ${answer.directory_fault}`);
  if (answer.truncated) output.warn('the directory has more groups than are shown');
  const [known, inDirectory] = [Object.keys(answer.scopes_groups).length, answer.keycloak_groups.length];
  const asked =
    answer.directory === null
      ? ''
      : `, ${inDirectory} ${inDirectory === 1 ? 'group' : 'groups'} in ${answer.directory}`;
  output.note(`${known} ${known === 1 ? 'scope' : 'scopes'}${asked}.`);
}

async function describeGroup({ api, output }: Run, { name }: Named): Promise<void> {
  const scope = await (await api())('scopes.get', { params: { name } }).catch(elsewhere(name));
  output.result(scope, (paint) => scopeFields(scope, paint));
}

interface Question {
  username?: string;
  groups?: string;
  server: string;
  tool?: string;
  method?: string;
  client?: string;
}

async function explainCall(
  { api, output }: Run,
  { username, groups, server, tool, method, client }: Question,
): Promise<number> {
  if ((username === undefined) === (groups === undefined))
    throw misuse(
      username === undefined
        ? 'Neither a user name nor --groups is given.'
        : 'Both a user name and --groups are given.',
      'Give one of them.',
    );
  const body = {
    ...(username === undefined ? { groups: namesIn(groups ?? '') } : { username }),
    ...{ server, method: method ?? (tool === undefined ? 'tools/list' : 'tools/call') },
    ...(tool === undefined ? {} : { tool }),
    ...(client === undefined ? {} : { client }),
  };
  const answer = await (await api())('access.explain', { body }).catch(
    orNotFound('Run `mcp-gateway user list` to see the accounts, or give --groups.'),
  );
  output.result(answer, (paint) =>
    fields(
      [
        ['Decision', answer.allow ? 'allowed' : 'denied'],
        ['Why', answer.explanation],
        ['Scope', answer.scope],
        ['Rule', answer.rule && JSON.stringify(answer.rule)],
        ['Given by', answer.by_groups.join(', ')],
        ['Groups', answer.groups.join(', ') || 'none'],
        ['Scopes', answer.scopes.join(', ') || 'none'],
      ],
      paint,
    ),
  );
  return answer.allow ? 0 : 1;
}

const whichThereAre = 'Run `mcp-gateway scope list` to see the scopes.';

function elsewhere(name: string): (error: unknown) => never {
  return orNotFound(whichThereAre, `Scope '${name}' does not exist.`);
}

interface ServerOfGroups {
  server: string;
  groups: string;
}

async function changeServer(
  { api, output }: Run,
  { server, groups }: ServerOfGroups,
  command: 'add-to-groups' | 'remove-from-groups',
): Promise<void> {
  const id = command === 'add-to-groups' ? 'scopes.add' : 'scopes.remove';
  const body = { server_name: server, group_names: groups };
  const answer = await (await api())(id, { body }).catch(orNotFound(whichThereAre));
  output.result(answer, () =>
    answer.groups
      .map(({ group_name, changed }) => plainLine(`${group_name}: ${changed ? 'changed' : 'unchanged'}`))
      .join('\n'),
  );
  if (!output.json) for (const warning of answer.warnings) output.warn(warning);
}

async function makeGroup({ api, output }: Run, { name, description, idp = false }: NewGroup): Promise<void> {
  const body = {
    name,
    scope_config: { create_in_idp: idp },
    ...(description === undefined ? {} : { description }),
  };
  const answer = await (await api())('groups.create', { body });
  output.result(answer, () =>
    plainLine(`Created ${answer.name}${answer.is_idp_managed ? ` (${answer.id})` : ''}.`),
  );
  if (!output.json) for (const warning of answer.warnings) output.warn(warning);
}

async function showGroups({ api, output }: Run): Promise<void> {
  const answer = await (await api())('groups.list');
  output.result(answer, (paint, room) =>
    answer.groups.length ? groupTable(answer.groups, room, paint) : '',
  );
  if (output.json) return;
  if (answer.truncated) output.warn('the directory has more groups than are shown');
  const word = answer.total === 1 ? 'group' : 'groups';
  output.note(answer.groups.length ? `${answer.total} ${word}.` : 'No groups.');
}
