import { exportJWK, generateKeyPair } from 'jose';
import { None } from 'openid-client';
import { expect, test } from 'vitest';
import { Issuer } from './issuer.ts';
import { createOidcClients } from './oidc.ts';

const url = 'https://id.example/tenant/v2.0/.well-known/openid-configuration';
const day = 24 * 3_600_000;
const jwkOf = async (kid: string) => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(publicKey)), kid, use: 'sig' };
};

test('keys of the application’s own are found by discovery with its id, and nothing else is asked for', async () => {
  const [common, own] = [await jwkOf('common'), await jwkOf('own')];
  const asked: string[] = [];
  const issuerOf = (appId: string | undefined, ownIssuer = 'https://id.example') =>
    new Issuer(
      url,
      async (given) => {
        const { href, searchParams } = new URL(given);
        asked.push(href);
        const isOwn = searchParams.get('appid') === 'app-1';
        if (href.includes('/keys')) return Response.json({ keys: href.endsWith('own') ? [own] : [common] });
        const jwks_uri = `https://id.example/keys${isOwn ? '/own' : ''}`;
        return Response.json({ issuer: isOwn ? ownIssuer : 'https://id.example', jwks_uri });
      },
      () => 0,
      { algorithms: ['RS256'], appId },
    );
  expect(await issuerOf('app-1').key('own')).toBeDefined();
  expect(await issuerOf('app-1').key('neither')).toBeUndefined();
  expect(await issuerOf(undefined).key('own')).toBeUndefined();
  expect(await issuerOf('app-1', 'https://other.example').key('own')).toBeUndefined();
  asked.length = 0;
  expect(await issuerOf('app-1').key('common')).toBeDefined();
  expect(asked.filter((href) => href.includes('appid'))).toEqual([]);
});

test('what a provider says of itself is read anew once a day, and serves on while it cannot be', async () => {
  let [time, endpoint, isDown] = [0, 'one', false];
  const clients = createOidcClients(
    async () => {
      if (isDown) throw new TypeError('fetch failed');
      return Response.json({
        issuer: 'https://id.example',
        token_endpoint: `https://id.example/${endpoint}`,
      });
    },
    () => time,
  );
  const client = {
    discoveryUrl: 'https://id.example/.well-known/openid-configuration',
    clientId: 'c',
    clientAuth: None(),
  };
  const endpointNow = async () => (await clients(client)).serverMetadata().token_endpoint;
  expect(await endpointNow()).toBe('https://id.example/one');
  endpoint = 'two';
  expect(await endpointNow()).toBe('https://id.example/one');
  [time, isDown] = [day + 1, true];
  expect(await endpointNow()).toBe('https://id.example/one');
  [time, isDown] = [2 * day + 2, false];
  await endpointNow();
  await new Promise(setImmediate);
  await expect.poll(endpointNow).toBe('https://id.example/two');
});
