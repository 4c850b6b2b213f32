import { expect, test } from 'vitest';
import { ByteRows, dimensions, toBytes } from './byte-rows.ts';

/** Numbers from -1 to 1 that are the same each time. */
function vectorOf(seed: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, at) => Math.sin(seed * 7919 + at * at + seed * at));
}

function plainly(a: Float32Array, b: Float32Array): number {
  const rows = new Int8Array(2 * dimensions);
  toBytes(a, rows, 0);
  toBytes(b, rows, dimensions);
  let sum = 0;
  for (let at = 0; at < dimensions; at++) sum += (rows[at] as number) * (rows[dimensions + at] as number);
  return sum;
}

test('the products are those of the plain loop, whichever rows are asked for, and while their number grows', () => {
  const rows = new ByteRows();
  const query = vectorOf(1000);
  const extreme = new Float32Array(dimensions).map((_, at) => (at % 2 === 0 ? 1 : -1));
  for (const count of [1, 64, 65, 700]) {
    for (let at = 0; at < count; at++) rows.set(at, at === 5 ? extreme : vectorOf(at));
    const all = Int32Array.from({ length: count }, (_, at) => count - 1 - at);
    for (const places of [all, all.slice(0, 1), all.filter((at) => at % 7 === 3), new Int32Array(0)])
      for (const one of [query, extreme]) {
        const { products } = rows.compare(one, places);
        expect([...products]).toEqual(
          [...places].map((at) => plainly(one, at === 5 ? extreme : vectorOf(at))),
        );
      }
  }
});

test('a cosine is the product with both scales; a vector of nothing is near to nothing', () => {
  const rows = new ByteRows();
  const length = Math.sqrt(vectorOf(3).reduce((sum, value) => sum + value * value, 0));
  const unit = vectorOf(3).map((value) => value / length);
  rows.set(0, unit);
  rows.set(1, new Float32Array(dimensions));
  const { products, scale } = rows.compare(unit, Int32Array.of(0, 1));
  expect((products[0] as number) * scale * (rows.scales[0] as number)).toBeCloseTo(1, 2);
  expect(products[1]).toBe(0);
});
