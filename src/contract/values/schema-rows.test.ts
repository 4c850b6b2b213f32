import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowsOf } from './schema-rows.ts';

const brief = (schema: unknown) =>
  rowsOf(schema).map(({ name, depth, type, required, notes }) =>
    [`${'.'.repeat(depth)}${name}${required ? '*' : ''}: ${type}`, ...notes].join(', '),
  );

test('parameters are named with type, need, default, choices and limits', () => {
  expect(
    brief({
      type: 'object',
      required: ['zone'],
      properties: {
        zone: { type: 'string', default: 'UTC' },
        count: { type: 'integer', minimum: 1, maximum: 24 },
        mode: { enum: ['fast', 'slow'] },
        when: { type: 'string', format: 'date-time' },
        limit: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      },
    }),
  ).toEqual([
    'zone*: string, default "UTC"',
    'count: integer, at least 1, at most 24',
    'mode: choice, one of "fast", "slow"',
    'when: string (date-time)',
    'limit: integer or null',
  ]);
});

test('members of objects and of lists of objects follow one step deeper, through references', () => {
  expect(
    brief({
      properties: {
        place: { $ref: '#/$defs/place' },
        stops: { type: 'array', items: { $ref: '#/$defs/place' } },
        names: { type: 'array', items: { type: 'string' } },
      },
      $defs: { place: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } } },
    }),
  ).toEqual([
    'place: object',
    '.city*: string',
    'stops: list of object',
    '.city*: string',
    'names: list of string',
  ]);
});

test('a schema that refers to itself comes to an end', () => {
  const rows = rowsOf({ properties: { self: { $ref: '#' }, loop: { $ref: '#/properties/loop' } } });
  expect(rows.length).toBeLessThanOrEqual(200);
});

test('no value that a server may send as a schema breaks the page', () => {
  fc.assert(fc.property(fc.jsonValue(), (schema) => void rowsOf(schema)));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (properties) => {
      expect(rowsOf({ properties }).length).toBeGreaterThanOrEqual(Object.keys(properties).length);
    }),
  );
});
