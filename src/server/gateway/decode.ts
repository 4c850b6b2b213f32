import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Failure } from '../failure/errors.ts';

const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
]);

/**
 * A decompressor for an answer that has to be read although the server was asked not to compress it; undefined when
 * it is not compressed. Fails with `upstream_invalid` for a coding, or a stack of codings, that is not known.
 */
export function decoderFor(encoding: string): Transform | undefined {
  if (encoding === '' || encoding === 'identity') return undefined;
  const make = decoders.get(encoding);
  if (!make)
    throw new Failure('upstream_invalid', 'The server compressed a list in a way that cannot be read here.');
  return make();
}
