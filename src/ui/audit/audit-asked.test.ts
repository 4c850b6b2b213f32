import { expect, test } from 'vitest';
import { askedBy, isFixed, periodOf } from './audit-asked.ts';

const now = Date.parse('2026-03-10T12:00:00.000Z');

test('without anything in the URL the denials and changes of the last day are asked for', () => {
  expect(askedBy({}, now)).toEqual({ from: '2026-03-09T12:00:00.000Z', matter: 'attention' });
  expect(askedBy({ tool: 'x' }, now)).toEqual({ from: '2026-03-09T12:00:00.000Z', tool: 'x' });
});

test('what the API would refuse is left out of a question, wherever it came from', () => {
  const odd = { period: 'toString', kind: '__proto__', decision: 'maybe', q: '  ', from: 'x', to: 'y' };
  expect(askedBy(odd, now)).toEqual({ from: '2026-03-09T12:00:00.000Z' });
  expect(askedBy({ q: 'x'.repeat(500) }, now).q).toHaveLength(200);
});

test('a fixed stretch goes before a period', () => {
  const search = { period: '7d', from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' };
  expect(askedBy(search, now)).toEqual({ from: search.from, to: search.to, matter: 'attention' });
  expect([isFixed(search), isFixed({ from: search.from }), periodOf(search)]).toEqual([true, false, '7d']);
});

test('every filter is passed on', () => {
  expect(askedBy({ period: '1h', kind: 'sign-in', decision: 'deny', q: ' a ', subject: 's' }, now)).toEqual({
    ...{ from: '2026-03-10T11:00:00.000Z', kind: 'sign-in', decision: 'deny', q: 'a', subject: 's' },
  });
});
