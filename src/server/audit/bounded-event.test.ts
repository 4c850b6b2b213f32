import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedEvent, withoutTokens } from './bounded-event.ts';
import type { AuditEvent } from './event.ts';

const token = `eyJ${'a'.repeat(30)}.eyJ${'b'.repeat(60)}.${'c'.repeat(40)}`;
const event: AuditEvent = {
  kind: 'sign-in',
  at: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
  who: null,
  clientIp: '127.0.0.1',
  action: 'sign-in',
  resource: null,
  decision: 'deny',
  status: 400,
  durationMs: 1,
};
const alice = { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' };

test.each([
  ['a JWS', token, '[a token]'],
  ['within a path', `/x/${token}/y`, '/x/[a token]/y'],
  ['behind other characters of tokens', `key-${token}`, 'key-[a token]'],
  ['two of them', `${token} and ${token}`, '[a token] and [a token]'],
  ['a JWE with a direct key', `eyJ${'a'.repeat(20)}..iv.text.tag`, '[a token]'],
  ['a JWE', `eyJ${'a'.repeat(20)}.${'k'.repeat(40)}.iv.text.tag`, '[a token]'],
  ['many beginnings', `${'eyJ'.repeat(50)}.eyJ${'b'.repeat(20)}.x`, '[a token]'],
  ['a name that begins so', 'eyJust-a-name', 'eyJust-a-name'],
  ['a domain', 'www.example.com', 'www.example.com'],
])('hides %s', (_, text, shown) => {
  expect(withoutTokens(text)).toBe(shown);
});

test('what hides tokens looks at each character once, whatever the text', () => {
  // A string that counts: a search from each beginning anew would look at each character thousands of times.
  let looks = 0;
  const counted = (text: string): string =>
    Object.assign(Object(text), {
      charCodeAt(at: number) {
        looks += 1;
        return String.prototype.charCodeAt.call(text, at);
      },
    });
  for (const text of ['eyJ'.repeat(10_000), 'eyJ.'.repeat(10_000), `${'eyJaaaaaaaa'.repeat(3_000)} `]) {
    looks = 0;
    withoutTokens(counted(text));
    expect(looks).toBeLessThanOrEqual(2 * text.length + 2);
  }
});

test('every text of an event is cut before it is kept, and a detail is bounded as a whole', () => {
  const long = 'x'.repeat(100_000);
  const kept = boundedEvent({
    ...event,
    ...{ action: long, resource: long, tool: long, reason: long, clientIp: long, correlationId: long },
    who: { provider: long, subject: long, username: long, clientId: long, method: long },
    detail: { [long]: long, list: new Array(50_000).fill({ method: 'a', tool: long }) },
  });
  expect(JSON.stringify(kept).length).toBeLessThan(8_000);
  expect(kept.resource).toMatch(/…$/);
});

test('a refused batch keeps its first parts and says how many more there were', () => {
  const batch = Array.from({ length: 1_000 }, (_, index) => ({
    method: 'tools/call',
    tool: `tool-${index}`,
  }));
  const { detail } = boundedEvent({ ...event, kind: 'mcp', detail: { batch } });
  const kept = (detail?.batch ?? []) as unknown[];
  expect(kept[0]).toEqual(batch[0]);
  expect(kept.at(-1)).toMatch(/^… \d+ more$/);
  expect(JSON.stringify(detail).length).toBeLessThan(6_000);
});

test('the state before and after a change is kept whole where somebody made it', () => {
  const after = Array.from({ length: 300 }, (_, index) => ({
    server: `server-${index}`,
    methods: ['tools/call'],
  }));
  const change: AuditEvent = { ...event, kind: 'change', decision: 'allow', who: alice, detail: { after } };
  expect(boundedEvent(change).detail).toEqual({ after });
});

test('a token at the edge of what is cut leaves nothing that could be used', () => {
  const { resource } = boundedEvent({ ...event, resource: `${'/'.repeat(300)}${token}` });
  expect(resource).not.toContain('eyJ');
});

test('depth, odd texts and whatever else JSON can say', () => {
  let deep: unknown = 'end';
  for (let level = 0; level < 5_000; level++) deep = { deep };
  expect(JSON.stringify(boundedEvent({ ...event, detail: { deep } }).detail).length).toBeLessThan(200);
  expect(boundedEvent({ ...event, resource: 'a\0b\ud800' }).resource).toBe('a\ufffdb\ufffd');
  const anything = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(anything, (detail) => {
      const kept = boundedEvent({ ...event, detail }).detail;
      return JSON.stringify(kept).length < 16_000 && boundedEvent({ ...event, detail }).detail !== detail;
    }),
  );
});
