import type { Api } from '../../contract/client.ts';
import { plainLine } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { allOf, confirm } from '../input/confirm.ts';
import { namesIn, warnOfGroups } from '../input/group-names.ts';
import { orNotFound } from '../not-found.ts';
import { humanFields, secretLines, userTable } from '../output/user-view.ts';
import { misuse } from '../trouble.ts';

/** The most accounts that the registry answers at once. */
const pageSize = 999;

/** The commands about accounts in the directory. */
export const addUserCommands: AddCommands = (program, on) => {
  addCommand(program, 'user-list', {
    summary: "List the directory's users, and the accounts of applications, with their groups",
    examples: ['mcp-gateway user-list --search ali', 'mcp-gateway user-list --limit 5000 --json'],
  })
    .option('--search <text>', 'only those whose name, user name or e-mail address begins with this')
    .option('--limit <number>', 'how many users at most', wholeNumber(1, 1_000_000), 500)
    .action(on(list));
  addHuman(program, on);
  addChanges(program, on);
};

const addHuman: AddCommands = (program, on) => {
  addCommand(program, 'user-create-human', {
    summary: 'Create an account for a person in the directory and add it to groups',
    examples: [
      'mcp-gateway user-create-human --username jsmith --email jsmith@example.com --first-name John --last-name Smith --groups public-mcp-users',
      'mcp-gateway user-create-human --username jsmith --email jsmith@example.com --first-name John --last-name Smith --groups public-mcp-users --password-stdin < password',
    ],
  })
    .requiredOption('--username <name>', "user name; without a domain the directory's default one is added")
    .requiredOption('--email <address>', 'e-mail address')
    .requiredOption('--first-name <name>', 'first name')
    .requiredOption('--last-name <name>', 'last name')
    .requiredOption('--groups <a,b>', 'groups by name or id, separated by commas')
    .option('--password <password>', 'first password; visible to others on this machine')
    .option('--password-stdin', 'read the first password from standard input; if left out, one is generated')
    .option('--keep-password', 'do not ask for another password at the first sign-in')
    .action(on(createHuman));
};

const addChanges: AddCommands = (program, on) => {
  addCommand(program, 'user-set-groups', {
    summary: 'Replace the groups of an account',
    examples: ['mcp-gateway user-set-groups --username jsmith@example.com --groups public-mcp-users,team'],
  })
    .requiredOption('--username <name>', 'user name or id of the account; for an application its client id')
    .requiredOption('--groups <a,b>', "groups by name or id, separated by commas; '' for none")
    .action(on(setGroups));

  addCommand(program, 'user-delete', {
    summary: 'Delete an account from the directory, and for an application its registration (asks first)',
    examples: [
      'mcp-gateway user-delete --username jsmith@example.com',
      'mcp-gateway user-delete --username my-ai-agent --force',
    ],
  })
    .requiredOption('--username <name>', 'user name or id of the account; for an application its client id')
    .option('--force', 'do not ask')
    .action(on(remove));
};

async function list(
  { api, output }: Run,
  { search, limit }: { search?: string; limit: number },
): Promise<void> {
  const page = await pages(await api(), search, limit);
  output.result(page, (paint, room) => (page.users.length ? userTable(page.users, room, paint) : ''));
  if (output.json) return;
  const shown = page.users.length;
  if (shown === 0) output.note('No accounts.');
  else
    output.note(
      page.next === null
        ? `${shown} ${shown === 1 ? 'account' : 'accounts'}.`
        : `${shown} of ${page.total}; for more: --limit`,
    );
}

async function pages(call: Api, search: string | undefined, limit: number) {
  const asked = search === undefined ? {} : { search };
  const first = await call('users.list', { query: { ...asked, limit: Math.min(limit, pageSize) } });
  let { next, total } = first;
  const users = [...first.users];
  while (next !== null && users.length < limit) {
    const left = Math.min(limit - users.length, pageSize);
    const page = await call('users.list', { query: { ...asked, limit: left, from: next } });
    users.push(...page.users);
    ({ next, total } = page);
  }
  return { users, total, next };
}

interface HumanFlags {
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  groups: string;
  password?: string;
  passwordStdin?: boolean;
  keepPassword?: boolean;
}

async function createHuman(run: Run, flags: HumanFlags): Promise<number> {
  const { api, output } = run;
  const [groups, password] = [namesIn(flags.groups), await passwordOf(run, flags)];
  const user = await (await api())('users.createHuman', {
    body: {
      ...{ username: flags.username, email: flags.email, groups },
      ...{ first_name: flags.firstName, last_name: flags.lastName },
      ...(password === undefined ? {} : { password }),
      ...(flags.keepPassword ? { must_change_password: false } : {}),
    },
  });
  const { generated_password } = user;
  output.result(user, (paint) =>
    [
      humanFields(user, paint),
      ...(generated_password === null
        ? []
        : [secretLines([['Password', generated_password]], 'the password')]),
    ].join('\n'),
  );
  if (!output.json && user.must_change_password)
    output.note('The first sign-in asks for a password of their own.');
  return warnOfGroups(run, user.groups_failed);
}

async function passwordOf({ output, terminal }: Run, flags: HumanFlags): Promise<string | undefined> {
  if (flags.password !== undefined && flags.passwordStdin)
    throw misuse('Give the password with --password or on standard input, not both.');
  if (flags.password !== undefined)
    output.warn('--password is visible to others on this machine; --password-stdin is not');
  const password = flags.passwordStdin ? (await allOf(terminal.stdin)).replace(/\r?\n$/, '') : flags.password;
  if (password === '')
    throw misuse(
      'The password is empty.',
      'Leave the option out to have a password generated and shown once.',
    );
  return password;
}

const whichThereAre = 'Run `mcp-gateway user list` to see the accounts.';

async function setGroups(
  run: Run,
  { username, groups }: { username: string; groups: string },
): Promise<number> {
  const call = await run.api();
  const body = { groups: namesIn(groups, 'none') };
  const done = await call('users.groups', { params: { username }, body }).catch(orNotFound(whichThereAre));
  run.output.result(done, () =>
    [
      `${done.username} is in ${done.groups.join(', ') || 'no group'}.`,
      ...(done.added.length ? [`Added: ${done.added.join(', ')}`] : []),
      ...(done.removed.length ? [`Removed: ${done.removed.join(', ')}`] : []),
    ]
      .map(plainLine)
      .join('\n'),
  );
  if (!run.output.json && done.note) run.output.note(done.note);
  return warnOfGroups(run, done.groups_failed);
}

async function remove(
  { api, output, terminal }: Run,
  { username, force = false }: { username: string; force?: boolean },
): Promise<void> {
  const call = await api();
  const deleted = force || (await confirm(`Delete the account ${username} from the directory?`, terminal));
  if (deleted) await call('users.remove', { params: { username } }).catch(orNotFound(whichThereAre));
  output.result({ username, deleted }, () => (deleted ? plainLine(`Deleted ${username}.`) : ''));
  if (!deleted) output.note('Nothing was deleted.');
}
