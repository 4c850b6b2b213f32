import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventFilter, type RewriteEvent } from './sse.ts';

const upper: RewriteEvent = (type, data) =>
  data.includes('x') ? `${type}:${data.toUpperCase()}` : undefined;

function run(chunks: readonly Buffer[], rewrite: RewriteEvent = upper, limit = 1e6): Buffer {
  const filter = new EventFilter(limit, rewrite, () => 'DROPPED');
  return Buffer.concat([...chunks.map((chunk) => filter.write(chunk)), filter.end()]);
}

/** The same filter over the whole text at once, written from the grammar of the specification. */
function oracle(text: string): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const lines = text.slice(mark.length).match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  let out = mark;
  // A CR and an LF that lay apart stay two line ends.
  const add = (line: string): void => {
    out += out.endsWith('\r') && line.startsWith('\n') ? `\n${line}` : line;
  };
  let event: string[] = [];
  const close = (): void => {
    const fields = event.map((line) => /^([^:\r\n]*)(?:: ?)?([^\r\n]*)/.exec(line) ?? []);
    const data = fields.filter(([, name]) => name === 'data').map(([, , value]) => value);
    const type = fields.findLast(([, name]) => name === 'event')?.[2] ?? '';
    const changed = data.length > 0 ? upper(type, data.join('\n')) : undefined;
    if (changed === undefined) out += event.join('');
    else {
      if (out === mark && fields[0]?.[1] === 'data') out = '';
      const first = fields.findIndex(([, name]) => name === 'data');
      const end = /[\r\n]*$/.exec(event[first] ?? '')?.[0] || '\n';
      const anew = changed.split('\n').map((line) => `data: ${line}${end}`);
      event
        .flatMap((line, at) => (at === first ? anew : fields[at]?.[1] === 'data' ? [] : [line]))
        .forEach(add);
    }
    event = [];
  };
  for (const line of lines) {
    if (/^[\r\n]/.test(line)) {
      close();
      add(line);
    } else event.push(line);
  }
  close();
  return out;
}

const line = fc.oneof(
  fc.constantFrom(
    'data: x',
    'data:{"a":1}',
    'data',
    'data:',
    'data:  x',
    'event: endpoint',
    'event:x',
    'event',
  ),
  fc.constantFrom('id: 7', 'retry: 10', ': comment', ':', 'datax: x', 'data : x', ' data: x', 'Data: x', ''),
  fc.constantFrom('data: é𝄞x', '\uFEFFdata: x', 'event: \uFEFF'),
  fc.string({ maxLength: 6 }),
);
const stream = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n', ''))),
  )
  .map(([mark, lines]) => (mark ? '\uFEFF' : '') + lines.map((pair) => pair.join('')).join(''))
  .map((text) => text.toWellFormed());

test('the filter equals the oracle however the bytes are cut', () => {
  fc.assert(
    fc.property(stream, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
      const bytes = Buffer.from(text, 'utf8');
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = sizes.next().value ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(run(chunks).toString('utf8')).toBe(oracle(text));
      expect(run([bytes]).toString('utf8')).toBe(oracle(text));
    }),
    { numRuns: 3000 },
  );
});

test('what is not rewritten passes byte for byte, valid text or not', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const buffers = chunks.map((chunk) => Buffer.from(chunk));
      expect(run(buffers, () => undefined)).toEqual(Buffer.concat(buffers));
    }),
  );
});

test('an event passes when it ends, before the next one begins', () => {
  const filter = new EventFilter(100, upper, () => 'DROPPED');
  expect(filter.write(Buffer.from('id: 1\ndata: a')).toString()).toBe('id: 1\n');
  expect(filter.write(Buffer.from('\n\n')).toString()).toBe('data: a\n\n');
  expect(filter.write(Buffer.from(': still here\n')).toString()).toBe(': still here\n');
});

test('ids, retry, comments and order of a rewritten event stay', () => {
  const text = 'id: 1\r\ndata: x\r\n: note\r\ndata: y\r\nretry: 5\r\nevent: t\r\n\r\n';
  expect(run([Buffer.from(text)]).toString()).toBe(
    'id: 1\r\ndata: t:X\r\ndata: Y\r\n: note\r\nretry: 5\r\nevent: t\r\n\r\n',
  );
});

test.each([
  ['in many lines', `${'data: 12345\n'.repeat(30)}\n`],
  ['in one line', `data: ${'1'.repeat(200)}\n\n`],
  ['with line ends of two characters', `${'data: 12345\r\n'.repeat(30)}\r\n`],
  ['with line ends of CR', `${'data: 12345\r'.repeat(30)}\r`],
  ['that is a comment', `: ${'1'.repeat(200)}\ndata: 1\n\n`],
])('an event above the limit %s is replaced, and the next ones pass, however they are cut', (_, large) => {
  const [before, after] = ['id: 1\ndata: a\n\n', 'id: 2\ndata: b\n\n: c\n\n'];
  for (const size of [1, 2, 3, 7, 11, 13, 50]) {
    const bytes = Buffer.from(before + large + after);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, at * size + size),
    );
    const out = run(chunks, () => undefined, 100).toString();
    // The LF of the last CR LF may stay, as one more empty line.
    expect(out.replace('DROPPED\n\n\n', 'DROPPED\n\n')).toBe(`${before}data: DROPPED\n\n${after}`);
  }
});

test.each([
  ['at the beginning', '', '', true],
  ['between two events', 'data: a\n\n', '', true],
  ['behind a comment', 'data: a\n\n: ping\n', '', true],
  ['in an event whose data are held', 'event: endpoint\ndata: a', '\n\n', false],
  ['in an event whose first lines have passed', 'id: 1\nevent: endpoint\n', 'data: a\n\n', false],
  ['before a line that is not whole', 'id: 1', '\ndata: a\n\n', true],
  ['in an event above the limit', `event: e\ndata: ${'1'.repeat(200)}`, '\n\n', false],
])('an event of ours goes %s of others, never into one', (_, before, after, atOnce) => {
  const filter = new EventFilter(
    100,
    () => undefined,
    () => 'DROPPED',
  );
  const ours = 'event: message\ndata: OURS\n\n';
  const first = filter.write(Buffer.from(before)).toString();
  const inserted = filter.insert('OURS')?.toString();
  expect(inserted === ours).toBe(atOnce);
  const whole = first + inserted + filter.write(Buffer.from(after)).toString();
  const dropped = before.includes('111') ? 'event: e\ndata: DROPPED\n\n' : before + after;
  expect(whole).toBe(before === 'id: 1' ? ours + dropped : dropped + ours);
});

test('no more than a few events of ours wait for the end of one', () => {
  const filter = new EventFilter(100, upper);
  filter.write(Buffer.from('event: t\n'));
  const taken = Array.from({ length: 20 }, () => filter.insert('OURS'));
  expect(taken.filter((one) => one !== undefined)).toHaveLength(16);
});

test('a stream that ends in an event above the limit ends with what replaces it', () => {
  expect(run([Buffer.from(`data: ${'1'.repeat(200)}`)], upper, 100).toString()).toBe('data: DROPPED\n\n');
});

test('an event without end breaks its stream off', () => {
  const endless = Array.from({ length: 200 }, () => Buffer.from('data: 12345\n'));
  expect(() => run(endless, upper, 100)).toThrow('does not end');
});

test('an event ends where it ended, also where a data line between a CR and an LF is gone', () => {
  const text = 'data: x\n: c\rdata: b\n\ndata: c\n\n';
  expect(run([Buffer.from(text)]).toString()).toBe('data: :X\ndata: B\n: c\r\n\ndata: c\n\n');
});

describe('where what is shown is cut', () => {
  const odd = fc.constantFrom(
    ...[
      'DATA: {"x":1}',
      ' data: {"x":1}',
      'data : {"x":1}',
      'data\0: {"x":1}',
      '{"x":1}',
      ': {"x":1}',
      'x: y',
    ],
    ...[
      'id: {"x":1}',
      'event: {"x":1}',
      'retry: {"x":1}',
      ': a\u2028data: {"x":1}',
      ': a\u0085b',
      '\ufeffdata: x',
    ],
  );
  const mixed = fc
    .tuple(
      fc.boolean(),
      fc.array(
        fc.tuple(fc.oneof(line, odd), fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n')),
      ),
      fc.oneof(fc.constant(''), odd),
    )
    .map(([mark, lines, last]) => (mark ? '\uFEFF' : '') + lines.map((pair) => pair.join('')).join('') + last)
    .map((text) => text.toWellFormed());

  /** The data of the events that a reader by the standard finds. */
  function dataIn(text: string): string[] {
    const found: string[] = [];
    let data: string[] = [];
    for (const one of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
      const [, value] = /^data(?::? ?)(.*)$/su.exec(/^data(?:$|:)/.test(one) ? one : '') ?? [];
      if (value !== undefined) data.push(value);
      if (one !== '') continue;
      if (data.join('\n') !== '') found.push(data.join('\n'));
      data = [];
    }
    return found;
  }
  const plain = /^(?:data(?::.*)?|(?:event|id|retry)?(?::[\x20-\x7a\x7c-\x7e]*)?)$/su;

  test('no reader finds a message outside of data, and one by the standard finds the same events', () => {
    fc.assert(
      fc.property(mixed, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
        const bytes = Buffer.from(text, 'utf8');
        const filter = new EventFilter(
          1e6,
          () => undefined,
          () => 'DROPPED',
          () => true,
        );
        const out: Buffer[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value ?? 1;
          out.push(filter.write(bytes.subarray(at, at + size)));
          at += size;
        }
        out.push(filter.end());
        const passed = Buffer.concat(out).toString('utf8');
        for (const one of passed.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) expect(one).toMatch(plain);
        expect(dataIn(`${passed}\n\n`)).toEqual(dataIn(`${text}\n\n`));
      }),
      { numRuns: 3000 },
    );
  });
});
