import type { accessEndpoints } from '../../../contract/access.ts';
import type { Handlers, Output } from '../../../contract/endpoint.ts';
import { trimSlashes } from '../../../contract/values/names.ts';
import type { Call, RefusalReason, Subject } from '../../access/call.ts';
import type { Caller } from '../../access/caller.ts';
import { decide } from '../../access/decide.ts';
import { allowanceOn, groupsBehind, ruleBehind } from '../../access/explain.ts';
import { gained, groundsOf } from '../../access/gained.ts';
import { accessOf, compile, type Grants } from '../../access/grants.ts';
import { ruleShown } from '../../access/scope-json.ts';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { readPersonalGrants } from '../access-requests/personal-grants.ts';
import { findRequest, requestOfScope } from '../access-requests/store.ts';
import { readStored, type StoredScopes } from '../scopes/store.ts';
import type { Scopes } from '../scopes/watch.ts';
import { find } from '../servers/store.ts';
import type { VirtualItem } from '../virtual-servers/resolve.ts';
import { innerCall, missingScope } from '../virtual-servers/shown.ts';
import type { Virtual, VirtualTable } from '../virtual-servers/table.ts';
import { dryRun } from './dry-run.ts';
import { shownGain } from './shown-gain.ts';

const nothing = { servers: [], permissions: [] };

/** Everything that members of these groups may do: what they gain over somebody without a scope, by the same decisions. */
async function effective(
  db: Db,
  subject: Somebody,
  grants: Grants,
): Promise<Output<(typeof accessEndpoints)['access.effective']>> {
  const { groups } = subject;
  const stored = await readStored(db);
  const { scopes, isAdmin } = accessOf(subject, grants);
  const { provider, subject: id } = subject;
  const personal =
    provider !== undefined && id !== undefined ? await readPersonalGrants(db, { provider, subject: id }) : [];
  const requested = new Map(personal.map(({ scope }) => [scope.name, scope]));
  const held = scopes.flatMap((name) => stored.get(name) ?? []);
  const grounds = groundsOf(
    [...held.map(({ scope }) => scope), ...scopes.flatMap((name) => requested.get(name) ?? [])],
    [],
  );
  return {
    groups: [...groups],
    scopes: scopes.flatMap((scope) => {
      const source = requested.has(scope) ? 'request' : stored.get(scope)?.source;
      return source ? [{ scope, source, by_groups: groupsBehind(groups, scope, grants) }] : [];
    }),
    is_admin: isAdmin,
    access: shownGain(gained(subject, grounds, compile(new Map()), grants) ?? nothing),
  };
}

/** Somebody known here, as far as access is concerned. */
export interface Somebody {
  /** The groups that were last known. */
  readonly groups: readonly string[];
  readonly provider?: string;
  /** What scopes may call the program that they use; absent: they use none. */
  readonly clientNames?: readonly string[];
  /** The stable id of a person; absent for applications. */
  readonly subject?: string;
}

/**
 * Somebody by name: a person by user name, an application by client id or name. `not_found` for
 * strangers, `conflict` when several go by that name.
 */
async function somebodyCalled(db: Db, name: string): Promise<Somebody> {
  const lower = name.toLowerCase();
  const people = await db
    .selectFrom('people')
    .select(['provider', 'subject', 'groups'])
    .where((e) => e(e.fn<string>('lower', ['username']), '=', lower))
    .execute();
  const clients = await db
    .selectFrom('m2m_clients')
    .select(['provider', 'groups'])
    .where((e) => e.or([e('client_id', '=', lower), e('name', '=', name)]))
    .execute();
  const found = [...people, ...clients];
  const [one] = found;
  if (!one)
    throw new Failure(
      'not_found',
      `No one called '${name}' has signed in, and no application of that name is known here. Give their groups instead.`,
    );
  if (found.length > 1)
    throw new Failure(
      'conflict',
      `${found.length} accounts go by '${name}' (${found.map(({ provider }) => provider).join(', ')}). Give the groups instead.`,
    );
  return { ...one, groups: JSON.parse(one.groups) as string[] };
}

/** What explaining decisions needs. */
export interface AccessWorld {
  readonly db: Db;
  readonly grants: () => Grants;
  readonly scopes: Pick<Scopes, 'grantsOf'>;
  readonly virtuals: Pick<VirtualTable, 'find'>;
}

type Explanation = Output<(typeof accessEndpoints)['access.explain']>;

/** Why a call is refused, for the one who can change that. */
const reasons = {
  'no-scopes': 'None of these groups is mapped to a scope.',
  server: 'No rule of these scopes names this server.',
  method: 'No rule of these scopes that names the server allows the method.',
  tool: 'No rule of these scopes allows tools/call on this server with this tool.',
  prompt: 'No rule of these scopes allows the method on this server with this prompt.',
  resource: 'No rule of these scopes allows the method on this server with this resource.',
  'client-scope': 'The person allowed the program only tools that read.',
} as const satisfies Record<RefusalReason, string>;

/** The functions behind the endpoints about decisions; they ask what the gateway asks. */
export function accessHandlers(world: AccessWorld): Handlers<typeof accessEndpoints, Caller<Identity>> {
  const { db, grants } = world;
  return {
    async 'access.server'({ params }) {
      const server = trimSlashes(params.path);
      return { server, scopes: scopesOn(server, await readStored(db)) };
    },
    'access.dryRun': ({ body }, { identity }) => dryRun(world, identity, body),
    async 'access.effective'({ body }) {
      const clientNames = await clientNamesOf(db, body.client);
      return effective(db, { ...(await subjectOf(db, body)), clientNames }, grants());
    },
    async 'access.explain'({ body }) {
      const { method, tool, prompt, resource } = body;
      const call: Call = { server: trimSlashes(body.server), method, tool, prompt, resource };
      const subject = { ...(await subjectOf(db, body)), clientNames: await clientNamesOf(db, body.client) };
      const { provider = '', subject: id = '' } = subject;
      const virtual = world.virtuals.find(call.server, { provider, subject: id });
      const explained = virtual
        ? await explainVirtual(db, subject, { call, virtual }, grants())
        : { ...(await explain(db, subject, call, grants())), server: call.server };
      const { server, ...said } = explained;
      if (!said.allow) return said;
      const more = await connectionInWords(db, server, body.username);
      return { ...said, explanation: `${said.explanation}${more}` };
    },
  };
}

/** Who is asked about: members of groups, or somebody with what they were granted for themselves. */
async function subjectOf(
  db: Db,
  { groups, username = '' }: { groups?: readonly string[] | undefined; username?: string | undefined },
): Promise<Somebody> {
  return groups ? { groups } : somebodyCalled(db, username);
}

/** Whether somebody who is allowed to call a server has the credential that it wants; empty where it wants none of theirs. */
async function connectionInWords(db: Db, server: string, username: string | undefined): Promise<string> {
  const row = await find(db, `/${server}`);
  const mode = row?.egress?.egress_auth_mode;
  if (!row || !mode) return '';
  if (mode === 'client_credentials') return " The gateway's own credential goes to this server.";
  if (mode === 'obo_exchange') return ' Their sign-in is exchanged for a credential of this server.';
  if (username === undefined) return ' Each person has to be connected to this server.';
  const held = await db
    .selectFrom('connections')
    .innerJoin('people', (join) =>
      join
        .onRef('people.provider', '=', 'connections.provider')
        .onRef('people.subject', '=', 'connections.subject'),
    )
    .select('connections.status')
    .where((e) => e(e.fn<string>('lower', ['people.username']), '=', username.toLowerCase()))
    .where('connections.server_id', '=', row.id)
    .where('connections.purpose', '=', 'call')
    .executeTakeFirst();
  if (!held) return ' Allowed, but they are not connected to this server: a call says where to connect.';
  return held.status === 'refused'
    ? ' Allowed, but the server no longer takes their credential: a call asks them to connect again.'
    : ' They are connected to this server.';
}

/** The scopes that allow something on a server, in their order. */
function scopesOn(
  server: string,
  stored: StoredScopes,
): Output<(typeof accessEndpoints)['access.server']>['scopes'] {
  return [...stored.values()].flatMap(({ scope, source }) => {
    const allowance = allowanceOn(scope, server);
    if (!allowance) return [];
    const rules = allowance.rules.map(ruleShown);
    const groups = [...scope.groupMappings];
    return [{ scope: scope.name, source, groups, rules, permissions: [...allowance.permissions] }];
  });
}

/**
 * What scopes may call a client that is given by its id or its alias. Fails for a stranger and for one that may not be used: no call
 * can come from it, whatever scopes say.
 */
async function clientNamesOf(db: Db, given: string | undefined): Promise<string[]> {
  if (given === undefined) return [];
  const rows = await db
    .selectFrom('oauth_clients')
    .select(['client_id', 'alias', 'status'])
    .where((e) => e.or([e('client_id', '=', given), e('alias', '=', given)]))
    .execute();
  const row = rows.find(({ client_id }) => client_id === given) ?? rows[0];
  if (!row)
    throw new Failure('not_found', `No program called '${given}' has connected or was registered here.`);
  if (row.status === 'blocked' || row.status === 'pending')
    throw new Failure(
      'conflict',
      `The program '${given}' is ${row.status === 'blocked' ? 'blocked' : 'waiting for approval'}, so it can call nothing.`,
    );
  return [row.client_id, ...(row.alias === null ? [] : [row.alias])];
}

async function explain(db: Db, subject: Subject, call: Call, grants: Grants): Promise<Explanation> {
  const { groups } = subject;
  const decision = decide(subject, call, grants);
  const held = { groups: [...groups], scopes: [...accessOf(subject, grants).scopes] };
  if (!decision.allow)
    return {
      ...{ allow: false, reason: decision.reason, ...held },
      ...{ scope: null, source: null, rule: null, by_groups: [], explanation: reasons[decision.reason] },
    };
  const requested = requestOfScope(decision.scope);
  if (requested !== undefined)
    return {
      ...{
        allow: true,
        reason: null,
        ...held,
        scope: decision.scope,
        source: null,
        rule: null,
        by_groups: [],
      },
      explanation: await grantInWords(db, requested),
    };
  const stored = (await readStored(db)).get(decision.scope);
  const rule = stored && ruleBehind(stored.scope, call);
  const by = groupsBehind(groups, decision.scope, grants);
  return {
    ...{ allow: true, reason: null, ...held, scope: decision.scope, source: stored?.source ?? null },
    rule: rule ? ruleShown(rule) : null,
    by_groups: by,
    explanation: `The scope '${decision.scope}' allows it; ${by.map((group) => `'${group}'`).join(', ')} holds that scope.`,
  };
}

/** Which items of a virtual server a method is about. */
const kindOf: Readonly<Record<string, keyof Virtual['resolved']['items']>> = {
  'tools/call': 'tools',
  'prompts/get': 'prompts',
  'resources/read': 'resources',
};

/**
 * A call through a virtual server is decided twice, as the gateway does: by the rules for the virtual server, unless it is
 * the caller's own, and by those for the server behind the name. With the server that the call goes to.
 */
async function explainVirtual(
  db: Db,
  subject: Somebody & Subject,
  { call, virtual }: { call: Call; virtual: Virtual },
  grants: Grants,
): Promise<Explanation & { server: string }> {
  const { server } = call;
  const outer = virtual.isPersonal ? undefined : await explain(db, subject, call, grants);
  if (outer && !outer.allow) return { ...outer, server };
  const kind = kindOf[call.method];
  const name = call.tool ?? call.prompt ?? call.resource;
  const item: VirtualItem | undefined = kind && virtual.resolved.items[kind].byName.get(name ?? '');
  const access = accessOf(subject, grants);
  const missing = missingScope(access, [...virtual.row.definition.required_scopes, ...(item?.scopes ?? [])]);
  if (missing !== undefined) {
    const explanation = `'${server}' asks for the scope '${missing}' besides, which these groups do not give.`;
    const held = { groups: [...subject.groups], scopes: [...access.scopes] };
    const by = { scope: null, source: null, rule: null, by_groups: [] };
    return { allow: false, reason: 'required-scope', ...held, ...by, explanation, server };
  }
  if (!kind || !item) {
    const own = outer ?? (await explain(db, subject, call, grants));
    const unknown = kind ? ` But '${server}' has nothing of that name now.` : '';
    return { ...own, explanation: `${own.explanation}${unknown}`, server };
  }
  const inner = await explain(db, subject, innerCall(kind, item), grants);
  const behind = `Behind '${name}' is '${item.original}' of '${item.server}', which is decided as well: `;
  const before = outer ? `${outer.explanation} ` : '';
  return { ...inner, explanation: `${before}${behind}${inner.explanation}`, server: item.server };
}

/** What is behind a call that somebody may make because they asked for it. */
async function grantInWords(db: Db, id: string): Promise<string> {
  const row = await findRequest(db, id);
  const until = row?.ends_at ? `, until ${row.ends_at}` : '';
  return `It was granted to this person on request, by ${row?.decided_by ?? 'somebody'}${until}.`;
}
