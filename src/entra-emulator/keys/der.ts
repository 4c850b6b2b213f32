/** Writers for the few DER types (ITU-T X.690) that a certificate needs; each returns one encoded element. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const hex = size.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** SEQUENCE of the given elements, in order. */
export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);

/** SET of the given elements; the caller keeps DER's order. */
export const set = (...parts: readonly Uint8Array[]): Buffer => element(0x31, ...parts);

/** INTEGER from big-endian unsigned bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const trimmed = Buffer.from(bytes.subarray(bytes.findIndex((byte) => byte !== 0)));
  const positive = (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed;
  return element(0x02, positive.length ? positive : Buffer.from([0]));
}

/** BOOLEAN. */
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));

/** NULL. */
export const nothing = (): Buffer => element(0x05);

/** OCTET STRING. */
export const octets = (content: Uint8Array): Buffer => element(0x04, content);

/** BIT STRING of whole bytes, with the given number of unused bits in the last one. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  element(0x03, Buffer.from([unused]), content);

/** UTF8String. */
export const text = (value: string): Buffer => element(0x0c, Buffer.from(value));

/** OBJECT IDENTIFIER from its dotted form. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f];
  for (let left = arc >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

/** Context-specific constructed element `[n]`, as EXPLICIT tagging makes it. */
export const explicit = (n: number, ...parts: readonly Uint8Array[]): Buffer => element(0xa0 | n, ...parts);

/** Context-specific primitive element `[n]`, as IMPLICIT tagging of a string makes it. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content);
