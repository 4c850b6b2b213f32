import { expect, test } from 'vitest';
import { createTickets } from './ticket.ts';

const tickets = createTickets(Buffer.alloc(32, 1));
const holder = ['server', 'http://upstream', 'entra', 'alice'];

test('a ticket opens for its holder only, also in another process with the key', () => {
  const ticket = tickets.seal('/messages?id=1', holder);
  expect(createTickets(Buffer.alloc(32, 1)).open(ticket, holder)).toBe('/messages?id=1');
  expect(tickets.open(ticket, ['server', 'http://upstream', 'entra', 'bob'])).toBeUndefined();
  expect(tickets.open(ticket, ['server', 'http://upstream', 'entraalice'])).toBeUndefined();
  expect(createTickets(Buffer.alloc(32, 2)).open(ticket, holder)).toBeUndefined();
});

test('a ticket does not show what it stands for, and cannot be changed or made', () => {
  const ticket = tickets.seal('/messages?id=1', holder);
  const bytes = Buffer.from(ticket, 'base64url');
  expect(bytes.toString('latin1')).not.toContain('messages');
  for (const at of bytes.keys()) {
    const forged = Buffer.from(bytes);
    forged[at] = (forged[at] ?? 0) ^ 1;
    expect(tickets.open(forged.toString('base64url'), holder)).toBeUndefined();
  }
  for (const text of ['', 'abc', '/messages?id=1', 'A'.repeat(100)])
    expect(tickets.open(text, holder)).toBeUndefined();
});
