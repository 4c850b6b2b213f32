import { ByteRows } from './byte-rows.ts';
import { bestOf, type Candidate, Spelling } from './spelling.ts';
import { stem } from './stem.ts';
import type { WordVectors } from './word-vectors.ts';

/** What marks a word of a name as it is written, for finding words that are near it in meaning. */
export const wordMark = '=';

/** From which cosine on words are akin, how many at most, and what that counts. */
export const kinship = { least: 0.45, most: 5, weight: 0.8 };

/** The words of an index, ready to be compared with words that are not in it. */
export class Vocabulary {
  readonly spelling = new Spelling();
  private readonly words: string[] = [];
  private places = new Int32Array(0);
  private readonly rows = new ByteRows();
  private readonly vectors: WordVectors;

  constructor(vectors: WordVectors) {
    this.vectors = vectors;
  }

  /** Takes in a term, or a word of a name behind its mark. */
  add(term: string): void {
    if (term.startsWith(wordMark)) this.addWord(term.slice(wordMark.length));
    else this.spelling.addTerm(term);
  }

  /** Words of names that are near a word in meaning, among those that `occur`. */
  akin(word: string, occurs: (term: string) => boolean): Candidate[] {
    if (!this.vectors.knows(word)) return [];
    if (this.places.length < this.words.length)
      this.places = Int32Array.from({ length: this.words.length }, (_, at) => at);
    const { products, scale } = this.rows.compare(this.vectors.embed(word), this.places);
    const kin: Candidate[] = [];
    for (let at = 0; at < products.length; at++) {
      const cosine = (products[at] as number) * scale * (this.rows.scales[at] as number);
      if (cosine < kinship.least) continue;
      const other = this.words[at] as string;
      if (other !== word && occurs(wordMark + other))
        kin.push({ term: stem(other), word: other, weight: cosine * kinship.weight });
    }
    return bestOf(kin, kinship.most);
  }

  private addWord(word: string): void {
    this.rows.set(this.words.length, this.vectors.embed(word));
    this.words.push(word);
    this.spelling.addWord(word);
  }
}
