import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { Tenant } from '../tenant/model.ts';
import { findRegistration, issuersOf, type World } from '../world.ts';
import { Aadsts } from './aadsts.ts';
import type { Client } from './client.ts';
import { verifyOwn } from './sign.ts';

const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Checks a client assertion: signed with a registered certificate, or from a federated issuer. */
export async function verifyAssertion(
  world: World,
  tenant: Tenant,
  client: Client,
  form: Record<string, string>,
): Promise<void> {
  const assertion = form.client_assertion ?? '';
  if (form.client_assertion_type !== bearer) throw new Aadsts(900144, ['client_assertion_type']);
  const payload = decoded(assertion);
  if (payload.iss === client.application.appId) await verifyCertificate(world, tenant, client, assertion);
  else await verifyFederated(world, client, assertion, payload);
}

async function verifyCertificate(
  world: World,
  tenant: Tenant,
  client: Client,
  assertion: string,
): Promise<void> {
  const { appId } = client.application;
  const key = certificateKey(client, assertion);
  const issuers = issuersOf(world, tenant.id);
  const tokenEndpoints = ['oauth2/v2.0/token', 'oauth2/token', 'v2.0'].flatMap((path) => [
    `${world.origin}/${tenant.id}/${path}`,
    ...tenant.domains.map(({ name }) => `${world.origin}/${name}/${path}`),
  ]);
  const checked = await verified(assertion, key, world, {
    issuer: appId,
    subject: appId,
    audience: [...tokenEndpoints, issuers.v1, issuers.v2],
  });
  refuseReplay(world, checked);
}

function certificateKey({ application, principal }: Client, assertion: string): KeyObject {
  const { alg, kid, x5t, ...header } = decodeProtectedHeader(assertion);
  const named = [header['x5t#S256'], x5t, kid].filter((value) => typeof value === 'string');
  for (const credential of [...application.keyCredentials, ...principal.keyCredentials]) {
    if (!credential.key || (alg !== 'PS256' && alg !== 'RS256')) continue;
    const der = Buffer.from(credential.key, 'base64');
    const prints = ['sha256', 'sha1'].map((hash) => createHash(hash).update(der).digest());
    const forms = prints.flatMap((print) => [
      print.toString('base64url'),
      print.toString('hex').toUpperCase(),
    ]);
    if (named.some((value) => forms.includes(value))) return new X509Certificate(der).publicKey;
  }
  throw new Aadsts(700027, [`Thumbprint of key used by client: '${named[0] ?? ''}'`]);
}

async function verifyFederated(
  world: World,
  client: Client,
  assertion: string,
  payload: JWTPayload,
): Promise<void> {
  const { application } = client;
  const home = findRegistration(world, application.appId)?.home;
  const byIssuer = (home?.federatedCredentials.get(application.id) ?? []).filter(
    ({ issuer }) => issuer === payload.iss,
  );
  if (byIssuer.length === 0) throw new Aadsts(700211, [payload.iss ?? '']);
  const bySubject = byIssuer.filter(({ subject }) => subject === payload.sub);
  if (bySubject.length === 0) throw new Aadsts(700213, [payload.sub ?? '']);
  const audiences = [payload.aud ?? []].flat();
  const match = bySubject.find((credential) => credential.audiences.some((one) => audiences.includes(one)));
  if (!match) throw new Aadsts(700212, [audiences.join()]);
  const keys = world.trustedIssuers.get(match.issuer);
  if (keys) await verified(assertion, createLocalJWKSet(keys), world, { issuer: match.issuer });
  else if (!(await verifyOwn(world, assertion)) || isOver(world, payload))
    throw new Aadsts(50013, [`The keys of issuer '${match.issuer}' are not known to the emulator.`]);
}

async function verified(
  assertion: string,
  key: KeyObject | ReturnType<typeof createLocalJWKSet>,
  world: World,
  expected: { issuer: string; subject?: string; audience?: string[] },
): Promise<JWTPayload> {
  const options = {
    ...expected,
    algorithms: ['PS256', 'RS256'],
    currentDate: new Date(world.clock.now()),
    clockTolerance: 300,
    requiredClaims: ['exp'],
  };
  try {
    const { payload } =
      typeof key === 'function'
        ? await jwtVerify(assertion, key, options)
        : await jwtVerify(assertion, key, options);
    return payload;
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (reason === 'ERR_JWT_EXPIRED') throw new Aadsts(700024);
    throw new Aadsts(700027, [
      reason === 'ERR_JWT_CLAIM_VALIDATION_FAILED' ? 'A claim of the assertion is wrong.' : '',
    ]);
  }
}

function refuseReplay(world: World, { jti, exp = 0 }: JWTPayload): void {
  const now = world.clock.now() / 1000;
  for (const [used, until] of world.usedAssertions) if (until < now - 300) world.usedAssertions.delete(used);
  if (!jti) return;
  if (world.usedAssertions.has(jti)) throw new Aadsts(700027, ['The assertion was used before.']);
  world.usedAssertions.set(jti, exp);
}

function isOver(world: World, { exp = 0 }: JWTPayload): boolean {
  return exp < world.clock.now() / 1000;
}

function decoded(assertion: string): JWTPayload {
  try {
    return decodeJwt(assertion);
  } catch {
    throw new Aadsts(50013, ['The assertion is not a JWT.']);
  }
}
