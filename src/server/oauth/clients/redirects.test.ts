import { expect, test } from 'vitest';
import { leadsHere } from './redirects.ts';

test.each([
  ['https://gateway.example/oauth2/callback/entra', true],
  ['https://GATEWAY.example:443/', true],
  // The same host to a browser and to a reader, and another origin.
  ['https://gateway.example./x', true],
  ['https://gateway.example:8443/x', true],
  ['https://gateway%2eexample/x', true],
  ['https://ｇateway.example/x', true],
  ['https://other.example/gateway.example', false],
  ['https://gateway.example.evil.example/', false],
  ['com.example.app:/gateway.example', false],
  ['no address', false],
])('a code for %s goes to the gateway itself: %s', (uri, is) => {
  expect(leadsHere(uri, 'https://gateway.example')).toBe(is);
});

test.each([
  ['http://localhost:8080/', true],
  ['http://127.0.0.1:8080/x', true],
  ['http://[::1]:8080/', true],
  ['http://localhost:8081/callback', false],
  ['https://gateway.example/', false],
])('on this computer a code for %s goes to the gateway itself: %s', (uri, is) => {
  expect(leadsHere(uri, 'http://localhost:8080')).toBe(is);
});
