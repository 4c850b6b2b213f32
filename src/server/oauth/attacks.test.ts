import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { errors } from 'oidc-provider';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fetch } from '../net/outbound.ts';
import { artifactsOf } from './artifacts.ts';
import { grantTypes, storeClient } from './clients/clients.ts';
import {
  hiddenIn,
  openReplicas,
  type Replica,
  redirectUri,
  registered,
  send,
} from './replicas.test-support.ts';

/** Attacks by programs that come as strangers, over two processes on one database. */
let home: Awaited<ReturnType<typeof openReplicas>>;
let here: Replica;
let there: Replica;

const documentId = 'https://program.example/client.json';
let published: Record<string, unknown> = {};
let asked: string[] = [];
let outside: (url: string) => Response = () => Response.json(published);

const elsewhere: Fetch = async (url) => {
  asked.push(String(url));
  return outside(String(url));
};

beforeEach(async () => {
  // Limits count by windows of time: none of them ends meanwhile.
  vi.useFakeTimers({ toFake: ['Date'] });
  published = {
    client_id: documentId,
    client_name: 'Program',
    redirect_uris: ['https://program.example/back'],
  };
  asked = [];
  outside = () => Response.json(published);
  home = await openReplicas();
  here = await home.start({ fetch: elsewhere });
  there = await home.start({ issuer: here.issuer, fetch: elsewhere });
});
afterEach(async () => {
  vi.useRealTimers();
  await home.close();
});

const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');

/** A request for authorization. */
function request(client_id: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    ...{ client_id, response_type: 'code', redirect_uri: 'https://program.example/back', state: 's' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256', resource: `${here.issuer}/mail/mcp` },
    ...more,
  };
}

/** What a browser is led to: a consent page of ours, or on. */
async function begin(query: Record<string, string>, at = here) {
  const begun = await send(`${at.url}/oauth/authorize?${new URLSearchParams(query)}`);
  const cookie = ['who=alice', ...begun.headers.getSetCookie().map((line) => line.split(';')[0])].join('; ');
  const to = begun.headers.get('location') ?? '';
  if (!to.includes('/oauth/consent/')) return { begun, text: begun.text, cookie, url: '' };
  const url = `${at.url}${new URL(to, at.issuer).pathname}`;
  const page = await send(url, undefined, { cookie });
  return { begun, text: page.text, cookie, url };
}

async function allow({ text, url, cookie }: Awaited<ReturnType<typeof begin>>, choice = {}) {
  return send(url, { ...hiddenIn(text), decision: 'allow', ...choice }, { cookie });
}

describe('a web site with a document of its own is as unknown as one that registers itself', () => {
  test.each([
    ['silently', { prompt: 'none' }],
    ['by the fragment', { response_type: 'token' }],
    ['for another resource', { resource: 'https://elsewhere.example/' }],
    ['in a form', { prompt: 'none', response_mode: 'form_post' }],
  ])('no address of the gateway leads to it: %s', async (_, more) => {
    const query = new URLSearchParams(request(documentId, more));
    const got = await send(`${here.url}/oauth/authorize?${query}`);
    expect(got.headers.get('location')).toBeNull();
    expect(got.text).toContain('<strong>program.example</strong>');
    expect(got.text).not.toContain('<script');
  });

  test.each(['registered', 'document'])('nor is a form of another page sent on to one: %s', async (kind) => {
    const id =
      kind === 'document' ? documentId : await registered(here, { redirect_uris: published.redirect_uris });
    const got = await send(`${here.url}/oauth/authorize`, request(id, { prompt: 'none' }));
    expect(got.headers.get('location')).toBeNull();
  });
});

describe('what was allowed once', () => {
  test('is asked again when the answer would go elsewhere', async () => {
    published.redirect_uris = ['https://program.example/back', 'https://other.example/back'];
    const first = await begin(request(documentId));
    expect((await allow(first)).text).toContain('http-equiv="refresh"');
    expect((await begin(request(documentId))).text).toContain('http-equiv="refresh"');
    const other = await begin(request(documentId, { redirect_uri: 'https://other.example/back' }));
    expect(other.text).toContain('<form');
  });
});

test('a token that its client wants bound to a key is not issued as one that anyone can use', async () => {
  const id = await registered(here);
  const page = await begin(request(id, { redirect_uri: redirectUri }));
  const said = await allow(page);
  const next = /content="0; url=([^"]+)"/.exec(said.text)?.[1];
  const done = await send(`${here.url}${next}`, undefined, { cookie: page.cookie });
  const code = new URL(done.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = await exportJWK(publicKey);
  const dpop = await new SignJWT({ htm: 'POST', htu: `${here.issuer}/oauth/token`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(privateKey);
  const got = await send(
    `${here.url}/oauth/token`,
    {
      ...{ grant_type: 'authorization_code', client_id: id, code, code_verifier: verifier },
      ...{ redirect_uri: redirectUri, resource: `${here.issuer}/mail/mcp` },
    },
    { dpop },
  );
  expect(got.body.token_type).toBe('Bearer');
});

describe('a program that proves itself with a key', () => {
  let keys: { privateKey: KeyObject; publicKey: KeyObject };
  beforeEach(async () => {
    keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
    await storeClient(home.db, {
      ...{ id: 'robot', kind: 'administrator', alias: 'robot', status: 'approved', createdBy: 'admin' },
      ...{ at: new Date().toISOString(), groups: ['robots'] },
      metadata: {
        ...{ client_name: 'robot', redirect_uris: [], grant_types: [grantTypes.clientCredentials] },
        ...{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
      },
    });
  });
  const claims = (more: object = {}) => ({
    ...{ iss: 'robot', sub: 'robot', aud: `${here.issuer}/oauth/token`, jti: randomUUID() },
    ...{ exp: Math.floor(Date.now() / 1000) + 60, ...more },
  });
  const signed = (more: object = {}) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(keys.privateKey);
  const sent = (client_assertion: string, at = here) =>
    send(`${at.url}/oauth/token`, {
      ...{ grant_type: grantTypes.clientCredentials, client_assertion },
      ...{ resource: `${here.issuer}/mail/mcp`, client_id: 'robot' },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });

  test('once, even where it comes to two processes at once', async () => {
    const good = await signed();
    const both = await Promise.all([here, there, here, there].map((at) => sent(good, at)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  });

  test('not for years ahead: what has to be remembered of it ends soon', async () => {
    expect((await sent(await signed({ exp: Math.floor(Date.now() / 1000) + 7200 }))).status).toBe(401);
    expect((await sent(await signed({ exp: 99_999_999_999 }))).status).toBe(401);
    expect((await sent(await signed())).status).toBe(200);
  });

  test.each(['none', 'HS256'])('not with alg %s', async (alg) => {
    const encoded = [{ alg, kid: 'k' }, claims()].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const key = keys.publicKey.export({ type: 'spki', format: 'pem' });
    const signature =
      alg === 'none' ? '' : createHmac('sha256', key).update(encoded.join('.')).digest('base64url');
    expect((await sent(`${encoded.join('.')}.${signature}`)).status).toBe(401);
  });

  test.each([
    ['another audience', { aud: 'https://elsewhere.example/' }],
    ['another issuer', { iss: 'other' }],
    ['another subject', { sub: 'other' }],
    ['no jti', { jti: undefined }],
    ['one that is over', { exp: 1 }],
    ['one of later', { nbf: 99_999_999_999 }],
  ])('not with %s', async (_, more) => {
    const got = await sent(await signed(more));
    expect([400, 401]).toContain(got.status);
    expect(got.body.access_token).toBeUndefined();
  });

  test('once, also where two processes look for it before either has noted it', async () => {
    const seen = artifactsOf({ db: home.db, key: Buffer.alloc(32), now: Date.now }, 'ReplayDetection');
    await seen.upsert('one', { jti: 'one' }, 60);
    await expect(seen.upsert('one', { jti: 'one' }, 60)).rejects.toThrow(errors.InvalidClientAuth);
  });

  test('whose keys are elsewhere does not have the gateway ask there as often as someone likes', async () => {
    const id = await registered(here, {
      ...{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://victim.example/keys' },
    });
    outside = () => new Response('no keys here', { status: 500 });
    const proof = await signed({ iss: id, sub: id });
    for (let times = 0; times < 40; times += 1)
      await send(`${(times % 2 ? here : there).url}/oauth/token`, {
        ...{ grant_type: 'authorization_code', client_assertion: proof, client_id: id, code: 'x' },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
    expect(asked.length).toBe(6);
  });
});

describe('one resource', () => {
  test('asked for twice is refused', async () => {
    const id = await registered(here);
    const query = new URLSearchParams(request(id, { redirect_uri: redirectUri }));
    query.append('resource', `${here.issuer}/calendar/mcp`);
    const got = await send(`${here.url}/oauth/authorize?${query}`);
    expect(got.headers.get('location')).toContain('error=invalid_target');
  });

  test('of a device asked for twice is refused', async () => {
    const id = await registered(here, { grant_types: [grantTypes.device, 'authorization_code'] });
    const form = new URLSearchParams({ client_id: id, resource: `${here.issuer}/calendar/mcp` });
    form.append('resource', `${here.issuer}/mail/mcp`);
    const got = await fetch(`${here.url}/oauth/device/authorize`, { method: 'POST', body: form });
    expect(got.status).toBe(400);
  });
});

test('a flood of registrations from one network is one, whatever addresses it has', async () => {
  let sent = 0;
  const flooded = await home.start({
    issuer: here.issuer,
    clientIp: () => `2001:db8:0:1::${(sent++).toString(16)}`,
  });
  const given = await Promise.all(Array.from({ length: 70 }, () => registered(flooded)));
  expect(given.filter((id) => id !== undefined).length).toBe(60);
  const other = await home.start({ issuer: here.issuer, clientIp: () => '2001:db8:0:2::1' });
  expect(await registered(other)).toBeDefined();
});
