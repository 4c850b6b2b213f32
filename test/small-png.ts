import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** An image as rows of pixels, each a number 0xRRGGBB. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly colors: Uint32Array;
}

/**
 * A picture of a page in a third of the bytes: with a palette of 256 of its colours, each other one being taken for the
 * nearest of these. Takes what Chromium writes: 8 bits, RGB or RGBA without transparency, not interlaced.
 */
export function smallPng(png: Buffer): Buffer {
  const { width, height, colors } = readPng(png);
  const palette = paletteOf(colors);
  const indexOf = new Map(palette.map((color, index) => [color, index]));
  const rows = Buffer.alloc((width + 1) * height);
  for (const [at, color] of colors.entries()) {
    const index = indexOf.get(color) ?? indexOf.get(nearestOf(palette, color)) ?? 0;
    indexOf.set(color, index);
    rows[at + Math.floor(at / width) + 1] = index;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const entries = Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  const parts = [
    chunk('IHDR', header),
    chunk('PLTE', entries),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
  ];
  return Buffer.concat([signature, ...parts, chunk('IEND', Buffer.alloc(0))]);
}

/** The pixels of a picture (PNG specification, sections 9 and 11), also of one that `smallPng` has made. */
export function readPng(png: Buffer): Pixels {
  const chunks = chunksOf(png);
  const header = chunks.find(([type]) => type === 'IHDR')?.[1] ?? Buffer.alloc(13);
  const [width, height, kind] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9] ?? 0];
  const size = { 2: 3, 3: 1, 6: 4 }[kind];
  if (!size || header[8] !== 8 || header[12] !== 0) throw new Error('this kind of PNG is not read here');
  const packed = chunks.filter(([type]) => type === 'IDAT').map(([, data]) => data);
  const bytes = unfilter(inflateSync(Buffer.concat(packed)), width * size, size);
  const palette = chunks.find(([type]) => type === 'PLTE')?.[1];
  const colors = new Uint32Array(width * height);
  for (let at = 0; at < colors.length; at++)
    colors[at] = palette ? palette.readUIntBE((bytes[at] ?? 0) * 3, 3) : bytes.readUIntBE(at * size, 3);
  return { width, height, colors };
}

function chunksOf(png: Buffer): [type: string, data: Buffer][] {
  const chunks: [string, Buffer][] = [];
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  return chunks;
}

/** Undoes the filter of each row (section 9.2). */
function unfilter(rows: Buffer, length: number, size: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(rows.length / (length + 1)) * length);
  for (let at = 0; at < bytes.length; at++) {
    const [row, column] = [Math.floor(at / length), at % length];
    const left = column < size ? 0 : (bytes[at - size] ?? 0);
    const above = row === 0 ? 0 : (bytes[at - length] ?? 0);
    const corner = row === 0 || column < size ? 0 : (bytes[at - length - size] ?? 0);
    const filter = rows[row * (length + 1)] ?? 0;
    const predicted = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0;
    bytes[at] = (rows[row * (length + 1) + 1 + column] ?? 0) + predicted;
  }
  return bytes;
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The most frequent colours, and those that are furthest from all chosen so far: a small icon has colours of its own. */
function paletteOf(colors: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1);
  const ordered = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  const palette = ordered.splice(0, 160);
  const left = ordered.map((color) => ({ color, off: distance(color, nearestOf(palette, color)) }));
  while (palette.length < 256 && left.length > 0) {
    left.sort((a, b) => b.off - a.off);
    const [{ color } = { color: 0 }] = left.splice(0, 1);
    palette.push(color);
    for (const one of left) one.off = Math.min(one.off, distance(one.color, color));
  }
  return palette;
}

function nearestOf(palette: readonly number[], color: number): number {
  let best = palette[0] ?? 0;
  for (const other of palette) if (distance(color, other) < distance(color, best)) best = other;
  return best;
}

function distance(color: number, other: number): number {
  return [16, 8, 0].reduce((sum, bits) => sum + (((color >> bits) & 255) - ((other >> bits) & 255)) ** 2, 0);
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(data, crc32(head.subarray(4))), 0);
  return Buffer.concat([head, data, tail]);
}
