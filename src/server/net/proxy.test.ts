import { expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const [https, http] = [new URL('http://secure.proxy:3128'), new URL('http://plain.proxy:3128')];

function wayTo(url: string, except: readonly string[] = []): URL | undefined {
  return proxyFor(new URL(url), { https, http, except });
}

test('each scheme has its proxy, and none is an option', () => {
  expect([wayTo('https://a.example'), wayTo('http://a.example')]).toEqual([https, http]);
  expect(proxyFor(new URL('http://a.example'), { https, http: null, except: [] })).toBeUndefined();
});

test.each([
  'http://localhost:9000',
  'https://a.localhost',
  'http://localhost.:1',
  'http://127.0.0.1',
  'http://127.9.9.9',
  'http://[::1]:80',
])('%s is this machine, to which no proxy leads', (url) => {
  expect(wayTo(url)).toBeUndefined();
});

test.each([
  ['*', 'https://a.example'],
  ['a.example', 'https://a.example'],
  ['a.example', 'https://b.a.example'],
  ['.a.example', 'https://b.a.example'],
  ['*.a.example', 'https://b.a.example'],
  ['A.Example', 'https://a.example.'],
  ['a.example:8443', 'https://a.example:8443'],
  ['a.example:443', 'https://a.example'],
  ['10.1.2.3', 'http://10.1.2.3:8000'],
  ['10.0.0.0/8', 'http://10.1.2.3'],
  ['fd12::/32', 'http://[fd12::7]'],
  ['[fd12::7]:80', 'http://[fd12::7]'],
  ['fd12::7', 'http://[fd12::7]:99'],
])('%s excepts %s', (rule, url) => {
  expect(wayTo(url, ['x.example', rule])).toBeUndefined();
});

test.each([
  ['a.example', 'https://nota.example'],
  ['b.a.example', 'https://a.example'],
  ['a.example:8443', 'https://a.example'],
  ['10.0.0.0/8', 'http://11.1.2.3'],
  ['10.0.0.0/8', 'http://10.example'],
  ['10.0.0.0/99', 'http://10.1.2.3'],
  ['1.2.3', 'http://10.1.2.3'],
  ['', 'https://a.example'],
  ['.', 'https://a.example'],
])('%s does not except %s', (rule, url) => {
  expect(wayTo(url, [rule])).toBe(url.startsWith('https') ? https : http);
});
