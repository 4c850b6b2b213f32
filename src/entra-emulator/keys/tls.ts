import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate, toPem } from './certificate.ts';
import { writePrivate } from './write-private.ts';

/** What an https listener needs, and the authority (PEM) that its clients must trust. */
export type TlsIdentity = { key: string; cert: string; ca: string };

const day = 86_400_000;

/** The TLS identity of the data directory, made on first use; without a directory a fresh one. */
export function tlsIdentity(names: readonly string[], now: Date, dataDir?: string): TlsIdentity {
  const file = dataDir && join(dataDir, 'entra-emulator-tls.json');
  if (file && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as TlsIdentity & { names: string; until: number };
    if (kept.names === names.join() && kept.until > now.getTime() + day) return kept;
  }
  const until = now.getTime() + 365 * day;
  const identity = makeIdentity(names, new Date(now.getTime() - day), new Date(until));
  if (file) writePrivate(file, JSON.stringify({ ...identity, names: names.join(), until }));
  return identity;
}

function makeIdentity(names: readonly string[], from: Date, to: Date): TlsIdentity {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'Entra emulator test authority';
  const signed = { signWith: authority.privateKey, from, to };
  const ca = makeCertificate({ ...signed, subject: issuer, publicKey: authority.publicKey, authority: true });
  const cert = makeCertificate({
    ...signed,
    subject: names[0] ?? 'localhost',
    issuer,
    publicKey: server.publicKey,
    names,
  });
  return {
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: toPem(cert),
    ca: toPem(ca),
  };
}
