/** A part of a regular expression. Characters are sets: `matches` says whether one is in it, `samples` has some of them. */
type Node =
  | {
      readonly is: 'char';
      readonly matches: (character: string) => boolean;
      readonly samples: readonly string[];
    }
  | { readonly is: 'sequence'; readonly parts: readonly Node[] }
  | { readonly is: 'choice'; readonly options: readonly Node[] }
  | {
      readonly is: 'repeat';
      readonly part: Node;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly is: 'edge'; readonly source: string }
  | { readonly is: 'look'; readonly part: Node; readonly behind: boolean; readonly not: boolean };

/** Characters that sets are tried with. */
const pool = [...'aZ0_-./:=%\\"\'<>{}[]()@#,;&+*?! \t\n\0é＊', 'e', 'y', 'J', 'f', 'x', 'A', '9', '1'];

/** Reads a regular expression; throws for what it does not know, so that nothing goes unchecked. */
function parse(source: string, flags: string): Node {
  let at = 0;
  const charOf = (text: string): Node => {
    const set = new RegExp(`^(?:${text})$`, flags.replaceAll(/[gy]/g, ''));
    const known = new Map<string, boolean>();
    const matches = (character: string): boolean => {
      let found = known.get(character);
      if (found !== undefined) return found;
      found = set.test(character);
      known.set(character, found);
      return found;
    };
    const literal = /^(?:\\[^\w]|[^\\[.])$/.test(text) ? [text.slice(-1)] : [];
    return { is: 'char', matches, samples: [...literal, ...pool.filter(matches)].slice(0, 4) };
  };
  const choice = (): Node => {
    const options = [sequence()];
    while (source[at] === '|') {
      at += 1;
      options.push(sequence());
    }
    return options.length === 1 && options[0] ? options[0] : { is: 'choice', options };
  };
  const sequence = (): Node => {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(atom()));
    return { is: 'sequence', parts };
  };
  const repeated = (part: Node): Node => {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/.exec(source.slice(at));
    if (!found) return part;
    at += found[0].length;
    const [, sign, low, comma, high] = found;
    const min = sign ? (sign === '+' ? 1 : 0) : Number(low);
    const max = sign ? (sign === '?' ? 1 : Infinity) : comma ? (high ? Number(high) : Infinity) : min;
    return { is: 'repeat', part, min, max, lazy: found[5] === '?' };
  };
  const atom = (): Node => {
    const rest = source.slice(at);
    const group = /^\((?:\?(?:(<?)([=!])|:|<\w+>))?/.exec(rest);
    if (group) {
      at += group[0].length;
      const part = choice();
      at += 1;
      return group[2] ? { is: 'look', part, behind: group[1] === '<', not: group[2] === '!' } : part;
    }
    const edge = /^(?:\^|\$|\\b|\\B)/.exec(rest);
    if (edge) {
      at += edge[0].length;
      return { is: 'edge', source: edge[0] };
    }
    if (/^\\(?:[1-9]|k<)/.test(rest)) throw new Error(`back references are not checked: ${source}`);
    const text =
      /^\[(?:\\[\s\S]|[^\]\\])*\]/.exec(rest) ??
      /^\\(?:[pP]\{[^}]*\}|u\{\w+\}|u\w{4}|x\w{2}|[\s\S])/.exec(rest) ??
      /^[\s\S]/u.exec(rest);
    if (!text) throw new Error(`cannot read ${source}`);
    at += text[0].length;
    return charOf(text[0]);
  };
  return choice();
}

class TooMany extends Error {}

/** How many steps a backtracking search takes that finds all that it can in `text`; Infinity beyond `most`. */
function stepsOf(tree: Node, flags: string, text: readonly string[], most: number): number {
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps > most) throw new TooMany();
  };
  type Next = (at: number) => boolean;
  const isWord = (at: number): boolean => /\w/.test(text[at] ?? ' ');
  const run = (node: Node, at: number, back: boolean, next: Next): boolean => {
    step();
    switch (node.is) {
      case 'char': {
        const character = text[back ? at - 1 : at];
        return character !== undefined && node.matches(character) && next(back ? at - 1 : at + 1);
      }
      case 'sequence': {
        const parts = back ? node.parts.toReversed() : node.parts;
        const from = (index: number, here: number): boolean => {
          const part = parts[index];
          return part ? run(part, here, back, (after) => from(index + 1, after)) : next(here);
        };
        return from(0, at);
      }
      case 'choice':
        return node.options.some((option) => run(option, at, back, next));
      case 'edge':
        return isEdge(node.source, at) && next(at);
      case 'look': {
        const found = run(node.part, at, node.behind, () => true);
        return found !== node.not && next(at);
      }
      case 'repeat':
        return node.part.is === 'char'
          ? runOfChars(node, node.part, at, back, next)
          : rounds(node, 0, at, back, next);
    }
  };
  const isEdge = (source: string, at: number): boolean => {
    const multiline = flags.includes('m');
    if (source === '^') return at === 0 || (multiline && text[at - 1] === '\n');
    if (source === '$') return at === text.length || (multiline && text[at] === '\n');
    return (isWord(at - 1) !== isWord(at)) === (source === '\\b');
  };
  type Repeat = Extract<Node, { is: 'repeat' }>;
  const rounds = (node: Repeat, done: number, at: number, back: boolean, next: Next): boolean => {
    const again = (): boolean =>
      done < node.max &&
      run(
        node.part,
        at,
        back,
        (after) => (after !== at || done < node.min) && rounds(node, done + 1, after, back, next),
      );
    if (done < node.min) return again();
    return node.lazy ? next(at) || again() : again() || next(at);
  };
  const runOfChars = (
    node: Repeat,
    char: Extract<Node, { is: 'char' }>,
    at: number,
    back: boolean,
    next: Next,
  ): boolean => {
    const forward = back ? -1 : 1;
    let longest = 0;
    while (longest < node.max) {
      const character = text[back ? at - longest - 1 : at + longest];
      if (character === undefined || !char.matches(character)) break;
      longest += 1;
      step();
    }
    for (let tried = 0; tried <= longest - node.min; tried++) {
      step();
      if (next(at + forward * (node.lazy ? node.min + tried : longest - tried))) return true;
    }
    return false;
  };
  try {
    let at = 0;
    while (at <= text.length) {
      let end = -1;
      if (
        !run(tree, at, false, (after) => {
          end = after;
          return true;
        })
      ) {
        if (isAnchored(tree) && !flags.includes('m')) break;
        at += 1;
      } else if (flags.includes('g')) at = Math.max(end, at + 1);
      else break;
    }
  } catch (error) {
    // The stack ends where backtracking is as deep as the text is long, many times over.
    if (error instanceof TooMany || error instanceof RangeError) return Infinity;
    throw error;
  }
  return steps;
}

/** Engines do not try further places where every way begins with `^`. */
function isAnchored(node: Node): boolean {
  if (node.is === 'edge') return node.source === '^';
  if (node.is === 'sequence') return node.parts[0] !== undefined && isAnchored(node.parts[0]);
  return node.is === 'choice' && node.options.every(isAnchored);
}

/** A text that a part matches. */
function sampleOf(node: Node): string {
  switch (node.is) {
    case 'char':
      return node.samples[0] ?? '';
    case 'sequence':
      return node.parts.map(sampleOf).join('');
    case 'choice':
      return node.options.map(sampleOf).find((text) => text !== '') ?? '';
    case 'repeat':
      return sampleOf(node.part).repeat(Math.max(node.min, 1));
    default:
      return '';
  }
}

/** Texts to repeat, each with what comes before it. */
function* pumps(node: Node, before: string): Generator<[before: string, unit: string]> {
  switch (node.is) {
    case 'sequence': {
      let [here, inside] = [before, ''];
      for (const part of node.parts) {
        yield* pumps(part, here);
        const sample = sampleOf(part);
        inside += sample;
        here += sample;
        if (inside !== '') yield ['', inside];
      }
      break;
    }
    case 'choice':
      for (const option of node.options) yield* pumps(option, before);
      break;
    case 'look':
      yield* pumps(node.part, before);
      break;
    case 'repeat': {
      yield* pumps(node.part, before);
      if (node.max !== Infinity) break;
      for (const unit of [sampleOf(node.part), ...charsOf(node.part)]) yield [before, unit];
      break;
    }
  }
}

function charsOf(node: Node): readonly string[] {
  if (node.is === 'char') return node.samples;
  if (node.is === 'sequence') return node.parts.flatMap(charsOf);
  if (node.is === 'choice') return node.options.flatMap(charsOf);
  return node.is === 'edge' ? [] : charsOf(node.part);
}

/** How long a text becomes by repeating: one of twice the length must take about twice as many steps. */
const length = 160;

/** A text for which the search takes steps in a higher power than linear, described; undefined when none is found. */
export function slowTextFor(source: string, flags: string): string | undefined {
  const tree = parse(source, flags);
  const tried = new Set<string>();
  for (const [before, unit] of pumps(tree, '')) {
    if (unit === '') continue;
    for (const start of new Set([before, '']))
      for (const end of ['', '\0', '\n', '!']) {
        const key = JSON.stringify([start, unit, end]);
        if (tried.has(key)) continue;
        tried.add(key);
        const steps = (times: number): number =>
          stepsOf(tree, flags, [...start, ...unit.repeat(times), ...end], 400_000);
        const times = Math.ceil(length / unit.length);
        // Twice as long twice, since a bounded repetition grows up to its bound.
        const [few, more, many] = [steps(times), steps(2 * times), steps(4 * times)];
        if (more === Infinity || (more > 2.7 * few + 200 && (many === Infinity || many > 2.7 * more)))
          return `${JSON.stringify(`${start}(${unit})*n${end}`)} takes ${few}, ${more}, ${many} steps`;
      }
  }
  return undefined;
}
