import type { Relation } from './model.ts';

const none: ReadonlySet<string> = new Set();

/** An empty relation. */
export function makeRelation(): Relation {
  return { from: new Map(), to: new Map() };
}

/** Joins two ids; false when they were joined before. */
export function join(relation: Relation, from: string, to: string): boolean {
  if (relation.from.get(from)?.has(to)) return false;
  add(relation.from, from, to);
  add(relation.to, to, from);
  return true;
}

/** Separates two ids; false when they were not joined. */
export function separate(relation: Relation, from: string, to: string): boolean {
  const found = relation.from.get(from)?.delete(to) ?? false;
  relation.to.get(to)?.delete(from);
  return found;
}

/** Removes an id from both ends. */
export function forget(relation: Relation, id: string): void {
  for (const to of [...targets(relation, id)]) separate(relation, id, to);
  for (const from of [...sources(relation, id)]) separate(relation, from, id);
}

/** What `id` points to, in the order of joining. */
export function targets(relation: Relation, id: string): ReadonlySet<string> {
  return relation.from.get(id) ?? none;
}

/** What points to `id`. */
export function sources(relation: Relation, id: string): ReadonlySet<string> {
  return relation.to.get(id) ?? none;
}

/** Everything reached by following `step` from `id` any number of times, without `id` itself; cycles end. */
export function closure(id: string, step: (id: string) => Iterable<string>): Set<string> {
  const reached = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const next of step(at)) {
      if (next === id || reached.has(next)) continue;
      reached.add(next);
      open.push(next);
    }
  }
  return reached;
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values) values.add(value);
  else map.set(key, new Set([value]));
}
