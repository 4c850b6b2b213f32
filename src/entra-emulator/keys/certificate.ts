import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import * as der from './der.ts';

/** What a certificate says; `issuer` absent means self-signed. */
export type CertificateRequest = {
  subject: string;
  publicKey: KeyObject;
  issuer?: string;
  signWith: KeyObject;
  from: Date;
  to: Date;
  /** True for a certificate authority. */
  authority?: boolean;
  /** Host names and IPv4 addresses a TLS server answers to. */
  names?: readonly string[];
};

const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha256WithEcdsa: '1.2.840.10045.4.3.2',
};

/** Makes an X.509 v3 certificate (RFC 5280) in DER; its organisation says that it is an emulator's. */
export function makeCertificate(request: CertificateRequest): Buffer {
  const algorithm =
    request.signWith.asymmetricKeyType === 'rsa'
      ? der.sequence(der.identifier(oids.sha256WithRsa), der.nothing())
      : der.sequence(der.identifier(oids.sha256WithEcdsa));
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    name(request.issuer ?? request.subject),
    der.sequence(der.time(request.from), der.time(request.to)),
    name(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions(request))),
  );
  return der.sequence(body, algorithm, der.bits(sign('sha256', body, request.signWith)));
}

/** DER as PEM text. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function name(commonName: string): Buffer {
  const part = (oid: string, value: string) => der.set(der.sequence(der.identifier(oid), der.text(value)));
  return der.sequence(part(oids.organization, 'EMULATOR - not Microsoft'), part(oids.commonName, commonName));
}

function extensions({ authority, names }: CertificateRequest): Buffer[] {
  const extension = (oid: string, critical: boolean, value: Buffer) =>
    der.sequence(der.identifier(oid), ...(critical ? [der.boolean(true)] : []), der.octets(value));
  const list = [
    extension(oids.basicConstraints, true, der.sequence(...(authority ? [der.boolean(true)] : []))),
    // keyCertSign and cRLSign for an authority, digitalSignature for everything else.
    extension(
      oids.keyUsage,
      true,
      authority ? der.bits(Buffer.from([0x06]), 1) : der.bits(Buffer.from([0x80]), 7),
    ),
  ];
  if (names?.length) {
    list.push(extension(oids.extendedKeyUsage, false, der.sequence(der.identifier(oids.serverAuth))));
    list.push(extension(oids.subjectAltName, false, der.sequence(...names.map(alternativeName))));
  }
  return list;
}

function alternativeName(host: string): Buffer {
  return isIPv4(host)
    ? der.implicit(7, Buffer.from(host.split('.').map(Number)))
    : der.implicit(2, Buffer.from(host));
}
