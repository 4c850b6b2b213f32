import { expect, test } from 'vitest';
import { aadsts, aadstsCodeIn, aadstsHelpIn, aadstsLine, aadstsTraceIn } from './aadsts.ts';
import { aadstsRows } from './aadsts-rows.ts';

const told =
  'AADSTS7000215: Invalid client secret provided. Trace ID: 0d5b8f0a-7d3c-4f3c-9c57-3a0c2c9e0100 Correlation ID: 8d1e9b3e-0f5d-4f6c-8f0a-0a9a9a9a9a9a Timestamp: 2026-08-13 21:24:29Z';

test('the code is found in the words and in the error_codes of an answer', () => {
  expect(aadstsCodeIn(told)).toBe(7000215);
  expect(aadstsCodeIn({ error_codes: [50011] })).toBe(50011);
  expect(aadstsCodeIn({ error: 'invalid_client', error_description: told })).toBe(7000215);
  expect(aadstsCodeIn({ error_codes: ['50011'] })).toBeUndefined();
  for (const nothing of ['access_denied', '', undefined, null, 7])
    expect(aadstsCodeIn(nothing)).toBeUndefined();
});

test('help names the step of the guide, and a line holds it', () => {
  expect(aadstsHelpIn(told)).toMatchObject({ code: 7000215, retryable: true });
  expect(aadstsLine(aadsts.get(7000215)!)).toContain('Step 3: create a new secret and copy its Value');
  expect(aadstsHelpIn('AADSTS99999999: unheard of')).toBeUndefined();
});

test('trace id, correlation id and time are found, before 2025 and after', () => {
  const ids = {
    traceId: '0d5b8f0a-7d3c-4f3c-9c57-3a0c2c9e0100',
    correlationId: '8d1e9b3e-0f5d-4f6c-8f0a-0a9a9a9a9a9a',
    timestamp: '2026-08-13 21:24:29Z',
  };
  expect(aadstsTraceIn(told)).toEqual(ids);
  expect(aadstsTraceIn(told.replaceAll(/ (?=Trace|Corr|Time)/g, '\r\n'))).toEqual(ids);
  expect(aadstsTraceIn('nothing of the kind')).toEqual({});
});

test('no code is in two rows, and every row says what to do', () => {
  const codes = aadstsRows.flatMap((row) => row.codes);
  expect(codes.length).toBe(new Set(codes).size);
  for (const row of aadstsRows) expect(row.steps.length, row.title).toBeGreaterThan(0);
});

test.each([
  50011, 7000215, 7000222, 7000218, 700025, 700027, 70021, 700211, 700213, 700016, 700038, 90002, 900023,
  500011, 1002012, 70011, 28002, 650053, 700022, 28000, 90009, 9010010, 65001, 90094, 90095, 650056, 50105,
  501051, 50020, 16000, 50034, 90072, 50194, 50126, 50055, 50057, 50053, 50076, 50079, 50158, 53000, 53001,
  53002, 53003, 530003, 54005, 70000, 70008, 700082, 700084, 50173, 70043, 501481, 50147, 7000112, 70003,
  900144, 50196, 700054, 90023, 901002,
])('AADSTS%i has help', (code) => {
  expect(aadsts.get(code)).toMatchObject({ code });
});
