import { expect, test } from 'vitest';
import { argumentsOf, fieldsOf } from './tool-form.ts';

const schema = {
  type: 'object',
  required: ['city', 'days'],
  properties: {
    city: { type: 'string', title: 'City', description: 'Where' },
    days: { type: 'integer', minimum: 1, maximum: 7, default: 3 },
    unit: { enum: ['C', 'F'] },
    exact: { type: 'boolean' },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
    list: { type: 'array', items: { type: 'string' } },
    place: { $ref: '#/$defs/place' },
  },
  $defs: { place: { type: 'object', properties: { lat: { type: 'number' } } } },
};

test('each kind of parameter gets a field of its kind', () => {
  expect(fieldsOf(schema).map(({ name, kind, required }) => [name, kind, required])).toEqual([
    ['city', 'text', true],
    ['days', 'integer', true],
    ['unit', 'choice', false],
    ['exact', 'choice', false],
    ['note', 'text', false],
    ['list', 'json', false],
    ['place', 'json', false],
  ]);
  expect(fieldsOf(schema)[1]).toMatchObject({ initial: '3', min: 1, max: 7 });
  expect(fieldsOf(schema)[2]?.options).toEqual(['"C"', '"F"']);
});

test('texts become values of the type that the schema asks for, and empty fields are left out', () => {
  const texts = {
    city: 'Oslo',
    days: '2',
    unit: '"F"',
    exact: 'false',
    note: '',
    list: '["a"]',
    place: '{"lat":1}',
  };
  expect(argumentsOf(fieldsOf(schema), texts)).toEqual({
    args: { city: 'Oslo', days: 2, unit: 'F', exact: false, list: ['a'], place: { lat: 1 } },
    faults: [],
  });
});

test.each([
  ['days', '', 'needed'],
  ['days', '2.5', 'whole number'],
  ['days', '9', '7 at most'],
  ['days', '0', '1 at least'],
  ['list', 'a, b', 'not JSON'],
])('%s with %j is told what is wrong', (name, text, words) => {
  const { faults } = argumentsOf(fieldsOf(schema), { city: 'x', days: '1', [name]: text });
  expect(faults).toEqual([{ name, message: expect.stringContaining(words) }]);
});

test.each([
  undefined,
  null,
  'text',
  [],
  { properties: 7 },
  { properties: { a: null, b: 3, c: { type: {} }, ['__proto__']: { type: 'string' } } },
  { $ref: '#' },
  { properties: { a: { $ref: '#/properties/a' } }, required: 'a' },
])('a schema that is none harms nobody: %j', (odd) => {
  const fields = fieldsOf(odd);
  expect(argumentsOf(fields, {}).args).toEqual({});
});

test('a parameter called __proto__ is a parameter', () => {
  const odd = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
  const { args } = argumentsOf(fieldsOf(odd), JSON.parse('{"__proto__":"x"}'));
  expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
  expect(JSON.stringify(args)).toBe('{"__proto__":"x"}');
});
