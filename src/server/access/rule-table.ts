import type { Call, Decision } from './call.ts';
import { compileResources, isPlain, type ResourceNames } from './resource-names.ts';
import type { ServerRule } from './rules.ts';

/** Names that a rule grants. */
export type Names = 'all' | ReadonlySet<string>;

/** Answers by name, and for names not given. Each is of the first scope that allows it. */
export interface Answers {
  readonly named: Map<string, Decision>;
  any: Decision | undefined;
}

/** No answers. */
function noAnswers(): Answers {
  return { named: new Map(), any: undefined };
}

/** Adds the names of a rule of the next scope in order; what an earlier scope allows keeps its answer. */
function addNames(answers: Answers, names: Names, answer: Decision): void {
  if (answers.any) return;
  if (names === 'all') answers.any = answer;
  else for (const name of names) if (!answers.named.has(name)) answers.named.set(name, answer);
}

/** Answers by URI. */
export interface ResourceAnswers extends Answers {
  /** In the order of the scopes. */
  readonly prefixes: [prefix: string, answer: Decision][];
}

/** No answers. */
function noResourceAnswers(): ResourceAnswers {
  return { ...noAnswers(), prefixes: [] };
}

/** Adds the resources of a rule of the next scope in order; what an earlier scope allows keeps its answer. */
function addResources(answers: ResourceAnswers, names: ResourceNames, answer: Decision): void {
  if (answers.any) return;
  if (names === 'all') answers.any = answer;
  else {
    addNames(answers, new Set([...names.exact].filter((uri) => !byPrefix(answers, uri))), answer);
    for (const prefix of names.prefixes) answers.prefixes.push([prefix, answer]);
  }
}

/** The answer for a URI, or for a template: as if it were one of the URIs that it makes. */
function resourceAnswer(answers: ResourceAnswers, uri: string | undefined): Decision | undefined {
  if (uri === undefined) return answers.any;
  return answers.named.get(uri) ?? byPrefix(answers, uri) ?? answers.any;
}

function byPrefix({ prefixes }: ResourceAnswers, uri: string): Decision | undefined {
  const found = prefixes.find(([prefix]) => uri.startsWith(prefix));
  return found && isPlain(uri) ? found[1] : undefined;
}

/** Methods that are about one prompt. */
const promptMethods = ['prompts/get', 'completion/complete'];

/** The one method of both eras that may be about resources, and need not be. */
const listenMethod = 'subscriptions/listen';

/** Methods that are about one resource (`resources/directory/read` is of the extension for skills). */
const resourceMethods = [
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'resources/directory/read',
  'completion/complete',
  listenMethod,
];

/** Answers for prompts and resources, by the method that is about them. */
export interface ItemTable {
  readonly prompts: ReadonlyMap<string, Answers>;
  readonly resources: ReadonlyMap<string, ResourceAnswers>;
}

/** What a rule grants, as far as prompts and resources go. */
export interface ItemRule {
  readonly methods: Names;
  readonly prompts: Names;
  readonly resources: ResourceNames;
}

/** Whether a rule tells one prompt or resource from another. */
function tellsItemsApart({ prompts, resources }: ItemRule): boolean {
  return prompts !== 'all' || resources !== 'all';
}

/** A table without answers. */
function emptyItemTable(): ItemTable {
  return {
    prompts: new Map(promptMethods.map((method) => [method, noAnswers()])),
    resources: new Map(resourceMethods.map((method) => [method, noResourceAnswers()])),
  };
}

/** Adds a rule of the next scope in order. */
function addItems(table: ItemTable, rule: ItemRule, answer: Decision): void {
  const grants = (method: string): boolean => rule.methods === 'all' || rule.methods.has(method);
  for (const [method, answers] of table.prompts) if (grants(method)) addNames(answers, rule.prompts, answer);
  for (const [method, answers] of table.resources)
    if (grants(method)) addResources(answers, rule.resources, answer);
}

/**
 * The answer for the prompt and the resource of a call, `otherwise` for a method that is about neither. Where a call does
 * not say what it is about, as no well-formed one does, it is allowed only to who may use all.
 */
export function itemAnswer(
  table: ItemTable,
  { method, prompt, resource }: Call,
  otherwise: Decision,
): Decision | 'prompt' | 'resource' {
  const prompts = table.prompts.get(method);
  const resources = table.resources.get(method);
  let answer: Decision = otherwise;
  if (prompts && (prompt !== undefined || resource === undefined)) {
    const found = prompt === undefined ? prompts.any : (prompts.named.get(prompt) ?? prompts.any);
    if (!found) return 'prompt';
    answer = found;
  }
  if (resources && (resource !== undefined || (prompt === undefined && method !== listenMethod))) {
    const found = resourceAnswer(resources, resource);
    if (!found) return 'resource';
    answer = found;
  }
  return answer;
}

/** Stands for a legacy GET stream, by which a server sends to a client; it has no JSON-RPC method of its own. */
const streamMethod = '$stream';
/** Stands for the end of a session by HTTP DELETE. */
const endMethod = '$end';
/** Stands for a client's answer to a request that the server sent. */
const responseMethod = '$response';

/**
 * What a grant of one method covers besides it. Whoever may open a conversation may also keep it alive, be told about it
 * and end it; `server/discover` and `subscriptions/listen` are how protocol 2026-07-28 does what `initialize` and the GET
 * stream did before. Everything not listed needs a rule that names it.
 */
export const impliedMethods: Readonly<Record<string, readonly string[]>> = {
  initialize: [
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/roots/list_changed',
    'ping',
    'logging/setLevel',
    'completion/complete',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'server/discover',
    'subscriptions/listen',
    streamMethod,
    endMethod,
    responseMethod,
  ],
};

/** The one method that names a tool. */
export const toolsCall = 'tools/call';

/** A server rule made ready: everything it grants, implied methods included. */
export interface CompiledRule extends ItemRule {
  readonly tools: Names;
}

/** Answers for one server: by method, by tool, and for those not named. Each is of the first scope that allows it. */
export interface RuleTable {
  readonly methods: Answers;
  /** What `tools/call` may name: only tools of rules that also allow the method. */
  readonly tools: Answers;
  /** What other methods may name; absent where no rule tells one prompt or resource from another. */
  readonly items: ItemTable | undefined;
}

/** Makes a rule ready for tables. */
export function compileRule({ methods, tools, prompts, resources }: ServerRule): CompiledRule {
  return {
    methods:
      methods === 'all'
        ? 'all'
        : new Set(
            methods.flatMap((method) =>
              Object.hasOwn(impliedMethods, method) ? [method, ...(impliedMethods[method] ?? [])] : [method],
            ),
          ),
    tools: tools === 'all' ? 'all' : new Set(tools),
    prompts: !prompts || prompts === 'all' ? 'all' : new Set(prompts),
    resources: compileResources(resources),
  };
}

/** A rule, and the answer that names its scope. */
export type Granted = readonly [rule: CompiledRule, answer: Decision];

/** Makes the table of rules about one server, given in the order of their scopes. */
export function tableOf(rules: readonly Granted[]): RuleTable {
  const items = rules.some(([rule]) => tellsItemsApart(rule)) ? emptyItemTable() : undefined;
  const table: RuleTable = { methods: noAnswers(), tools: noAnswers(), items };
  for (const [rule, answer] of rules) {
    addNames(table.methods, rule.methods, answer);
    if (rule.methods === 'all' || rule.methods.has(toolsCall)) addNames(table.tools, rule.tools, answer);
    if (items) addItems(items, rule, answer);
  }
  return table;
}
