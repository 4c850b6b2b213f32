import { JsonRefusal } from '../../http/request/json-scan.ts';

/** Names that decide on something in an object, and what folds to them. */
export interface Members {
  readonly names: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
  readonly longest: number;
  readonly lengths: ReadonlySet<number>;
}

/** Makes the table of these names. */
export function members(...names: string[]): Members {
  // Folding can shorten a name: one ligature stands for three letters.
  const longest = Math.max(...names.map((name) => name.length)) + 8;
  const lengths = new Set(names.map((name) => name.length));
  return { names: new Set(names), folded: new Set(names.map(fold)), longest, lengths };
}

/**
 * Folds a name as the most generous parsers do: by case, by what Unicode takes for the same letter, without space around it,
 * and to the first NUL, where texts of C end.
 */
function fold(name: string): string {
  const end = name.indexOf('\0');
  return (end === -1 ? name : name.slice(0, end)).trim().toUpperCase().toLowerCase();
}

/** Whether folding cannot change the length. */
function isPlain(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

/** As many members an object may have in which names are compared with each other. */
const mostNames = 1_000;
const few = 8;

/** The names of one object: whether one came twice, or in another spelling of one that decides. */
export class MembersSeen {
  /** The first name that came twice. */
  twice: string | undefined;
  /** The first name that some parser takes for one that decides. */
  folded: string | undefined;
  readonly #decisive: Members;
  readonly #first: string[] = [];
  #all: Set<string> | undefined;

  constructor(decisive: Members) {
    this.#decisive = decisive;
  }

  add(name: string): void {
    if (this.#has(name)) this.twice ??= name;
    // What some readers take for the object that all other members are looked for in.
    if (name === '__proto__') this.folded ??= name;
    const { names, folded, longest, lengths } = this.#decisive;
    if (this.folded !== undefined || names.has(name)) return;
    if (name.length > longest && !name.includes('\0')) return;
    if (!lengths.has(name.length) && isPlain(name)) return;
    if (folded.has(fold(name))) this.folded = name;
  }

  #has(name: string): boolean {
    const first = this.#first;
    if (!this.#all) {
      if (first.includes(name)) return true;
      first.push(name);
      if (first.length > few) this.#all = new Set(first);
      return false;
    }
    if (this.#all.has(name)) return true;
    if (this.#all.size >= mostNames)
      throw new JsonRefusal('members', `An object that is decided on may have ${mostNames} members at most.`);
    this.#all.add(name);
    return false;
  }
}
