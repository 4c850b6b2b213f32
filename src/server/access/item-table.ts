import { type Answers, addNames, type Names, noAnswers } from './answers.ts';
import {
  addResources,
  noResourceAnswers,
  type ResourceAnswers,
  type ResourceNames,
  resourceAnswer,
} from './resource-names.ts';
import type { Call, Decision } from './scope.ts';

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
export function tellsItemsApart({ prompts, resources }: ItemRule): boolean {
  return prompts !== 'all' || resources !== 'all';
}

/** A table without answers. */
export function emptyItemTable(): ItemTable {
  return {
    prompts: new Map(promptMethods.map((method) => [method, noAnswers()])),
    resources: new Map(resourceMethods.map((method) => [method, noResourceAnswers()])),
  };
}

/** Adds a rule of the next scope in order. */
export function addItems(table: ItemTable, rule: ItemRule, answer: Decision): void {
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
