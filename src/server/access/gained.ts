import type { UiPermission } from '../../contract/permissions.ts';
import type { Call, Subject } from './call.ts';
import { decide } from './decide.ts';
import { accessOf, type Grants } from './grants.ts';
import type { NameList } from './names.ts';
import { impliedMethods, toolsCall } from './rule-table.ts';
import type { ServerRule } from './rules.ts';
import type { Scope } from './scope-set.ts';

/** What may be asked of one server, as far as rules tell it apart; `*` is every other server, method, tool, prompt or resource. */
export interface Ground {
  readonly server: string;
  readonly methods: readonly string[];
  readonly tools: readonly string[];
  readonly prompts: readonly string[];
  readonly resources: readonly string[];
}

/** What somebody may and did not before. */
export interface Gain {
  /** Only servers of which there is something to tell. */
  readonly servers: readonly Ground[];
  readonly permissions: readonly { readonly permission: UiPermission; readonly names: readonly string[] }[];
}

const any = '*';
/** Methods that are told by what they are about. */
const aboutItems: ReadonlySet<string> = new Set([toolsCall, 'prompts/get', 'resources/read']);
const impliedBy = new Map(
  Object.entries(impliedMethods).flatMap(([method, others]) => others.map((other) => [other, method])),
);

/**
 * Everything on which decisions can differ when some scopes change, with `others` the scopes that stay: names that no rule
 * says are all decided like `*`, so that neither the catalogue nor its tools have to be gone through.
 */
export function groundsOf(changing: readonly Scope[], others: readonly Scope[]): Ground[] {
  const rules = changing.flatMap(({ serverRules }) => serverRules);
  const everywhere = rules.some(({ server }) => server === any);
  const all = [...rules, ...others.flatMap(({ serverRules }) => serverRules)];
  const servers = new Set((everywhere ? all : rules).map(({ server }) => server));
  return [...servers].map((server) => {
    const about = all.filter((rule) => rule.server === server || rule.server === any || server === any);
    return { server, ...namesIn(about) };
  });
}

function namesIn(rules: readonly ServerRule[]): Omit<Ground, 'server'> {
  const named = (lists: readonly NameList[]): string[] => [
    ...new Set([...lists.flatMap((list) => (list === 'all' ? [] : list)), any]),
  ];
  return {
    methods: named(rules.map(({ methods }) => methods)).filter((method) => !aboutItems.has(method)),
    tools: named(rules.map(({ tools }) => tools)),
    prompts: named(rules.flatMap(({ prompts }) => (prompts ? [prompts] : []))),
    resources: named(rules.flatMap(({ resources }) => (resources ? [resources] : []))),
  };
}

/** What the subject may with the grants `after` and may not with those `before`; undefined when that is nothing. */
export function gained(
  subject: Subject,
  grounds: readonly Ground[],
  before: Grants,
  after: Grants,
): Gain | undefined {
  const isNew = (call: Call): boolean =>
    decide(subject, call, after).allow && !decide(subject, call, before).allow;
  const servers = grounds.map((ground) => newOn(ground, isNew)).filter(saysSomething);
  const permissions = newPermissions(subject, before, after);
  return servers.length + permissions.length > 0 ? { servers, permissions } : undefined;
}

function newOn({ server, methods, tools, prompts, resources }: Ground, isNew: (call: Call) => boolean) {
  const fresh = methods.filter((method) => isNew({ server, method }));
  return {
    server,
    methods: fresh.filter((method) => !fresh.includes(impliedBy.get(method) ?? '')),
    tools: tools.filter((tool) => isNew({ server, method: toolsCall, tool })),
    prompts: prompts.filter((prompt) => isNew({ server, method: 'prompts/get', prompt })),
    resources: resources.filter((resource) => isNew({ server, method: 'resources/read', resource })),
  };
}

function saysSomething({ methods, tools, prompts, resources }: Ground): boolean {
  return methods.length + tools.length + prompts.length + resources.length > 0;
}

function newPermissions(subject: Subject, before: Grants, after: Grants): Gain['permissions'] {
  const had = accessOf(subject, before).permissions;
  return [...accessOf(subject, after).permissions].flatMap(([permission, names]) => {
    const old = had.get(permission);
    if (old === 'all') return [];
    const fresh = names === 'all' ? ['all'] : [...names].filter((name) => !old?.has(name));
    return fresh.length > 0 ? [{ permission, names: fresh }] : [];
  });
}
