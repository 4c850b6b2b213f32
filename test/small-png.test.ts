import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readPng, smallPng } from './small-png.ts';

/** A PNG of RGB pixels, its rows filtered in turn by nothing, by the pixel to the left and by the row above. */
function pngOf(width: number, height: number, channel: (at: number) => number): Buffer {
  const bytes = Buffer.from(Array.from({ length: width * height * 3 }, (_, at) => channel(at)));
  const rows = Array.from({ length: height }, (_, row) => {
    const filter = row % 3;
    const filtered = Array.from({ length: width * 3 }, (_, column) => {
      const at = row * width * 3 + column;
      const before = [0, column < 3 ? 0 : bytes[at - 3]!, row === 0 ? 0 : bytes[at - width * 3]!][filter]!;
      return (bytes[at]! - before) & 255;
    });
    return Buffer.from([filter, ...filtered]);
  });
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.concat(rows)))];
  return Buffer.concat([Buffer.alloc(8), ...parts]);
}

const channels = (png: Buffer): number[] =>
  [...readPng(png).colors].flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]);

test('a picture of 256 colours or fewer stays as it is, in a palette', () => {
  const picture = pngOf(30, 20, (at) => (at % 7) * 30);
  expect(channels(picture).slice(0, 8)).toEqual([0, 30, 60, 90, 120, 150, 180, 0]);
  const small = smallPng(picture);
  expect(channels(small)).toEqual(channels(picture));
  expect(channels(smallPng(small))).toEqual(channels(picture));
});

test('of more colours each is near to what it was, the rare ones too', () => {
  // 512 dark colours that come in turn, and one red pixel.
  const dark = (at: number) => (Math.floor(Math.floor(at / 3) / [1, 8, 64][at % 3]!) % 8) * 6;
  const picture = pngOf(200, 30, (at) => [255, 0, 0][at] ?? dark(at));
  const [before, after] = [channels(picture), channels(smallPng(picture))];
  expect(new Set(readPng(picture).colors).size).toBeGreaterThan(256);
  expect(new Set(readPng(smallPng(picture)).colors).size).toBe(256);
  expect(after.slice(0, 3)).toEqual([255, 0, 0]);
  expect(Math.max(...before.map((value, at) => Math.abs(value - after[at]!)))).toBeLessThan(24);
});
