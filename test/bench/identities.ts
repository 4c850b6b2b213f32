import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { tlsIdentity } from '../../src/entra-emulator/keys/tls.ts';

/** A provider of identities with keys of its own, over https as production asks for: it publishes keys and signs tokens. */
export interface Identities {
  readonly origin: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** The file of the authority that the gateway has to trust. */
  readonly certificate: string;
  /** The key that tokens are verified with, as PEM. */
  readonly publicKey: string;
  /** A token of the `number`th agent, who is in one group. */
  token(number: number, group: string): Promise<string>;
  close(): Promise<void>;
}

const [tenantId, clientId] = [randomUUID(), randomUUID()];

/** Starts the provider in this process. */
export async function startIdentities(directory: string): Promise<Identities> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', use: 'sig' };
  const { key, cert, ca } = tlsIdentity(['127.0.0.1', 'localhost'], new Date());
  const certificate = join(directory, 'ca.pem');
  writeFileSync(certificate, ca);
  const server = createServer({ key, cert }, (req, res) => {
    const base = `${origin}/${tenantId}`;
    const version = req.url?.includes('/v2.0/') ? '/v2.0' : '';
    const document = req.url?.endsWith('openid-configuration')
      ? { issuer: `${base}${version}`, jwks_uri: `${base}/keys` }
      : { keys: [jwk] };
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ origin, tenantId, clientId, certificate, publicKey: await exportSPKI(publicKey) },
    token(number, group) {
      const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
      const said = { tid: tenantId, idtyp: 'app', ver: '2.0', oid: id, azp: id, groups: [group] };
      return new SignJWT({ ...said, uti: `token-${number}` })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'bench' })
        .setIssuer(`${origin}/${tenantId}/v2.0`)
        .setAudience(clientId)
        .setSubject(id)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
