import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEmulator } from '../main.ts';
import { makeCertificate } from './certificate.ts';
import * as der from './der.ts';
import { openKeyring } from './keyring.ts';
import { tlsIdentity } from './tls.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'entra-emulator-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test.each([
  ['short', Buffer.from('abc'), '0403616263'],
  ['of 128 bytes', Buffer.alloc(128), `048180${'00'.repeat(128)}`],
  ['of 256 bytes', Buffer.alloc(256), `04820100${'00'.repeat(256)}`],
])('the length of a DER element that is %s takes the shortest form', (_what, content, hex) => {
  expect(der.octets(content).toString('hex')).toBe(hex);
});

test('DER integers are positive and minimal, identifiers base 128', () => {
  expect(der.integer(Buffer.from([0, 0, 0x80])).toString('hex')).toBe('02020080');
  expect(der.integer(Buffer.from([0])).toString('hex')).toBe('020100');
  expect(der.identifier('1.2.840.113549.1.1.11').toString('hex')).toBe('06092a864886f70d01010b');
  expect(der.time(new Date('2050-01-01T00:00:00Z')).toString()).toContain('20500101000000Z');
  expect(der.time(new Date('2049-12-31T23:59:59Z')).toString()).toContain('491231235959Z');
});

test.each(['rsa', 'ec'] as const)(
  'a self-signed %s certificate is one that Node reads and verifies',
  (kind) => {
    const keys =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const dates = { from: new Date('2025-01-01'), to: new Date('2055-01-01') };
    const made = makeCertificate({
      subject: 'me',
      publicKey: keys.publicKey,
      signWith: keys.privateKey,
      ...dates,
    });
    const certificate = new X509Certificate(made);
    expect(certificate.verify(keys.publicKey)).toBe(true);
    expect(certificate.subject).toContain('EMULATOR - not Microsoft');
    expect(certificate.ca).toBe(false);
    expect(certificate.validToDate.toISOString()).toBe('2055-01-01T00:00:00.000Z');
  },
);

test('the TLS identity is a server certificate under an own authority, kept in the data directory', () => {
  const now = new Date('2026-06-01');
  const names = ['localhost', '127.0.0.1'];
  const identity = tlsIdentity(names, now, dataDir);
  const [authority, server] = [new X509Certificate(identity.ca), new X509Certificate(identity.cert)];
  expect(authority.ca).toBe(true);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(server.checkHost('localhost')).toBe('localhost');
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(tlsIdentity(names, now, dataDir).cert).toBe(identity.cert);
  expect(tlsIdentity(['other'], now, dataDir).cert).not.toBe(identity.cert);
});

test('an https client that trusts the authority connects, others do not', async () => {
  const emulator = await startEmulator({ https: true });
  const get = (ca?: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${emulator.origin}/`, { ca }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  expect(emulator.origin).toMatch(/^https:/);
  expect(await get(emulator.ca)).toBe(200);
  await expect(get()).rejects.toThrow();
  await emulator.close();
});

test('signing keys are kept per data directory, readable by their owner only', async () => {
  const first = await openKeyring(dataDir).current();
  const again = await openKeyring(dataDir).current();
  expect(again.kid).toBe(first.kid);
  for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
});

test('keyrings without a data directory share keys until one rolls', async () => {
  const [one, other] = [openKeyring(), openKeyring()];
  expect((await one.current()).kid).toBe((await other.current()).kid);
  await one.roll('normal');
  expect((await one.current()).kid).not.toBe((await other.current()).kid);
  expect((await one.known()).length).toBe(3);
});

test('the kid is the thumbprint of the published certificate', async () => {
  const key = await openKeyring().current();
  const certificate = new X509Certificate(Buffer.from(key.x5c, 'base64'));
  const thumbprint = Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex').toString('base64url');
  expect(key.kid).toBe(thumbprint);
  expect(createPublicKey(key.privateKey).export({ format: 'jwk' }).n).toBe(key.n);
});
