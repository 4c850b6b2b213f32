import { expect, test } from 'vitest';
import { type AgentCard, agentCard, interfacesOf, summaryOf } from './agent-card.ts';

const both = {
  name: 'Flight booking',
  description: 'Books flights.',
  version: '1.2.0',
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'book', name: 'Book', description: 'Books.', tags: ['travel'] }],
};
const v1 = {
  ...both,
  supportedInterfaces: [
    { url: 'https://agents.example/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: 'https://agents.example/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
  ],
};
const v03 = { ...both, protocolVersion: '0.3.0', url: 'https://agents.example/a2a' };

const faultsOf = (card: unknown): string[] =>
  agentCard.safeParse(card).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

test('a card of version 1.0 and one of 0.3 are accepted, with members that nobody knows', () => {
  for (const card of [v1, v03])
    expect(agentCard.parse({ ...card, 'x-team': { a: 1 } })).toMatchObject({ 'x-team': { a: 1 } });
});

test.each([
  'name',
  'description',
  'version',
  'capabilities',
  'defaultInputModes',
  'defaultOutputModes',
  'skills',
])('%s is required in both versions', (member) => {
  for (const card of [v1, v03]) {
    const { [member as keyof typeof both]: _, ...rest } = card;
    expect(faultsOf(rest).join()).toMatch(new RegExp(`^${member}: `));
  }
});

test.each(['id', 'name', 'description', 'tags'])('a skill needs %s', (member) => {
  const { [member as 'id']: _, ...skill } = both.skills[0]!;
  expect(faultsOf({ ...v1, skills: [skill] }).join()).toContain(`skills.0.${member}: `);
});

test.each([
  ['no interface', { ...v1, supportedInterfaces: [] }, 'supportedInterfaces'],
  [
    'an interface without a version',
    { ...v1, supportedInterfaces: [{ url: 'https://a.example', protocolBinding: 'GRPC' }] },
    'supportedInterfaces.0.protocolVersion',
  ],
  ['version 0.1', { ...v03, protocolVersion: '0.1.0' }, 'protocolVersion'],
  ['no URL', { ...v03, url: undefined }, 'url'],
  ['a URL of another scheme', { ...v03, url: 'javascript:alert(1)' }, 'url'],
  ['an icon of another scheme', { ...v03, iconUrl: 'data:text/html,x' }, 'iconUrl'],
  ['a password in its URL', { ...v03, url: 'https://a:b@agents.example/' }, 'url'],
  ['a password in a member that nobody knows', { ...v1, x: [{ y: 'https://a:b@agents.example/' }] }, 'x.0.y'],
  ['an empty name', { ...v1, name: ' ' }, 'name'],
  ['a name of 10 kB', { ...v1, name: 'x'.repeat(10_000) }, 'name'],
])('a card with %s is refused where the fault is', (_, card, place) => {
  expect(faultsOf(card).join()).toContain(`${place}: `);
});

test('a card that is nested without end is refused and does not exhaust the stack', () => {
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
  expect(faultsOf({ ...v1, deep }).join()).toContain('nested');
});

test('the preferred interface comes first, with its version', () => {
  expect(interfacesOf(v1).map(({ at, binding, version }) => [at, binding, version])).toEqual([
    ['supportedInterfaces.0.url', 'JSONRPC', '1.0'],
    ['supportedInterfaces.1.url', 'HTTP+JSON', '1.0'],
  ]);
  const more = { ...v03, additionalInterfaces: [{ url: 'https://agents.example/grpc', transport: 'GRPC' }] };
  expect(interfacesOf(more).map(({ at, binding, version }) => [at, binding, version])).toEqual([
    ['url', 'JSONRPC', '0.3.0'],
    ['additionalInterfaces.0.url', 'GRPC', '0.3.0'],
  ]);
});

test('a summary says what lists show', () => {
  const signatures = [{ protected: 'e30', signature: 'AA' }];
  expect(
    summaryOf({ ...v1, signatures, provider: { organization: 'Acme', url: 'https://acme.example' } }),
  ).toEqual({
    name: 'Flight booking',
    description: 'Books flights.',
    version: '1.2.0',
    provider: 'Acme',
    streaming: true,
    skills: ['Book'],
    signed: true,
  });
});

test.each([
  ['0.2 without a protocolVersion', { ...v03, protocolVersion: undefined }, '0.2'],
  ['0.2', { ...v03, protocolVersion: '0.2.5' }, '0.2.5'],
  ['1.0 with a url', { ...v03, protocolVersion: '1.0' }, '1.0'],
  [
    'optional members that are null',
    { ...v03, provider: null, iconUrl: null, signatures: null, security: null },
    '0.3.0',
  ],
])('a card of A2A %s is taken', (_, card, version) => {
  const given = JSON.parse(JSON.stringify(card)) as AgentCard;
  expect(faultsOf(given)).toEqual([]);
  expect(interfacesOf(given)).toMatchObject([{ at: 'url', version }]);
});
