import { expect, test } from 'vitest';
import { agentCard } from '../../contract/agents/agent-card.ts';
import { exampleCard, pathFromName, readCard } from './card-text.ts';

test('the card to start from is a valid one', () => {
  expect(agentCard.safeParse(JSON.parse(exampleCard)).error?.issues ?? []).toEqual([]);
  expect(readCard(exampleCard)).toEqual({
    is: 'card',
    name: 'Flight Booking',
    description: 'Finds and books flights.',
    skills: 1,
  });
});

test.each(['', '{', '[]', '"x"', 'null', '{}', '{"name": ""}', '{"name": 1}'])(
  '%j is told to be no card',
  (text) => {
    expect(readCard(text)).toMatchObject({ is: 'nothing', fault: expect.stringMatching(/\w/) });
  },
);

test.each([
  ['Flight Booking', '/flight-booking'],
  ['  Ünï  Çode!! ', '/u-ni-c-ode'],
  ['***', ''],
])('the path for %j is %j', (name, path) => {
  expect(pathFromName(name)).toBe(path);
});
