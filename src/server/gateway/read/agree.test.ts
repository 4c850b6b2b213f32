import { expect, test } from 'vitest';
import { decodeName, disagreement, mayBatch } from './agree.ts';
import type { AskedCall, Message } from './read-call.ts';

const asked = (message: Partial<Message>): AskedCall => ({
  is: 'asked',
  batch: false,
  messages: [{ kind: 'request', id: 1, method: 'tools/call', tool: 'x', name: 'x', ...message }],
});
const modern = '2026-07-28';
const none = { version: undefined, method: undefined, name: undefined };

test.each([
  ['nothing repeated in a legacy era', {}, { ...none, version: '2025-06-18' }],
  ['no header at all', {}, none],
  ['everything repeated', { version: modern }, { version: modern, method: 'tools/call', name: 'x' }],
  ['a name in Base64', { name: 'ü' }, { ...none, method: 'tools/call', name: '=?base64?w7w=?=' }],
  [
    'a method without a name',
    { method: 'tools/list', name: undefined },
    { version: modern, method: 'tools/list', name: undefined },
  ],
  [
    'a modern notification without headers',
    { kind: 'notification', version: modern, name: undefined, method: 'x' },
    none,
  ],
  ['a response', { kind: 'response', method: '$response' }, { ...none, method: 'x' }],
] as [string, Partial<Message>, typeof none][])('%s agrees', (_, message, headers) =>
  expect(disagreement(asked(message), headers)).toBeUndefined(),
);

test.each([
  ['another method', {}, { ...none, method: 'tools/list' }],
  ['another name', {}, { ...none, name: 'y' }],
  ['a name in another case', {}, { ...none, name: 'X' }],
  ['two names', {}, { ...none, name: 'x, x' }],
  ['another version', { version: modern }, { version: '2025-06-18', method: 'tools/call', name: 'x' }],
  ['no version header', { version: modern }, { version: undefined, method: 'tools/call', name: 'x' }],
  ['no method header in the modern era', {}, { version: modern, method: undefined, name: 'x' }],
  ['no name header in the modern era', {}, { version: modern, method: 'tools/call', name: undefined }],
  ['no headers with a later era in the body', { version: '2027-01-01' }, none],
  ['malformed Base64', {}, { ...none, name: '=?base64?eA?' }],
] as [string, Partial<Message>, typeof none][])('%s disagrees', (_, message, headers) =>
  expect(disagreement(asked(message), headers)).toBeTypeOf('string'),
);

test('a batch has no one method, and only the eras that had batches have one', () => {
  const batch: AskedCall = { ...asked({}), batch: true };
  expect(disagreement(batch, none)).toBeUndefined();
  expect(disagreement(batch, { ...none, method: 'tools/call' })).toBeTypeOf('string');
  expect([undefined, '2025-03-26', '2025-06-18', '2025-11-25', modern].map(mayBatch)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a name is decoded only when it is marked as encoded', () => {
  expect(decodeName('plain')).toBe('plain');
  expect(decodeName('=?base64?/w==?=')).toBeUndefined();
});
