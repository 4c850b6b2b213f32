import { createHash, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { jwtVerify } from 'jose';
import { instant } from '../../clock.ts';
import { isRecord, type Reply } from '../../exchange.ts';
import { hashSecret } from '../../tenant/identify.ts';
import type { Application, KeyCredential, PasswordCredential, ServicePrincipal } from '../../tenant/model.ts';
import { bodyOf, type Call, noContent } from '../call.ts';
import { badRequest, GraphFailure } from '../failure.ts';
import { base } from '../show.ts';

type Holder = Application | ServicePrincipal;

const day = 86_400_000;

/** addPassword: makes a secret, whose text is in this answer and nowhere else. Two years unless asked otherwise. */
export function addPassword(call: Call, holder: Holder): Reply {
  const { tenant, world } = call;
  const asked = bodyOf(call).passwordCredential ?? {};
  if (!isRecord(asked)) throw badRequest("Invalid value specified for parameter 'passwordCredential'.");
  const now = world.clock.now();
  const startDateTime = dateOf(asked, 'startDateTime') ?? instant(world.clock);
  const endDateTime = dateOf(asked, 'endDateTime') ?? instant(world.clock, 730 * day);
  if (Date.parse(endDateTime) <= Date.parse(startDateTime))
    throw badRequest('Credential lifetime is invalid: the end is before the start.');
  checkPolicy(call, Date.parse(endDateTime) - now);
  const secretText = `${randomBytes(2).toString('hex').slice(0, 3)}8Q~${randomBytes(25).toString('base64url')}`;
  const credential: PasswordCredential = {
    keyId: randomUUID(),
    displayName: typeof asked.displayName === 'string' ? asked.displayName : null,
    startDateTime,
    endDateTime,
    hint: secretText.slice(0, 3),
    customKeyIdentifier: null,
    secretText: null,
  };
  holder.passwordCredentials = [...holder.passwordCredentials, credential];
  tenant.secrets.set(credential.keyId, hashSecret(secretText));
  tenant.born.set(credential.keyId, now);
  const context = `${base(world)}/$metadata#microsoft.graph.passwordCredential`;
  return { status: 200, body: { '@odata.context': context, ...credential, secretText } };
}

/** removePassword: the secret is worth nothing from now on. */
export function removePassword(call: Call, holder: Holder): Reply {
  const { keyId } = bodyOf(call);
  if (!holder.passwordCredentials.some((credential) => credential.keyId === keyId))
    throw badRequest(`No password credential found with keyId '${String(keyId)}'.`);
  holder.passwordCredentials = holder.passwordCredentials.filter((credential) => credential.keyId !== keyId);
  call.tenant.secrets.delete(String(keyId));
  return noContent();
}

/** addKey: adds a certificate, with proof (a JWT signed by one that is there) that the caller has a key already. */
export async function addKey(call: Call, holder: Holder): Promise<Reply> {
  const { keyCredential, proof } = bodyOf(call);
  await checkProof(call, holder, proof);
  const [credential] = readKeyCredentials(call, [keyCredential]);
  if (!credential) throw badRequest("Parameter 'keyCredential' is required.");
  holder.keyCredentials = [...holder.keyCredentials, credential];
  const context = `${base(call.world)}/$metadata#microsoft.graph.keyCredential`;
  return { status: 200, body: { '@odata.context': context, ...credential, key: null } };
}

/** removeKey, with the same proof. */
export async function removeKey(call: Call, holder: Holder): Promise<Reply> {
  const { keyId, proof } = bodyOf(call);
  await checkProof(call, holder, proof);
  if (!holder.keyCredentials.some((credential) => credential.keyId === keyId))
    throw badRequest(`No key credential found with keyId '${String(keyId)}'.`);
  holder.keyCredentials = holder.keyCredentials.filter((credential) => credential.keyId !== keyId);
  return noContent();
}

async function checkProof(call: Call, holder: Holder, proof: unknown): Promise<void> {
  for (const { key } of holder.keyCredentials) {
    if (!key || typeof proof !== 'string') continue;
    try {
      const options = {
        issuer: holder.id,
        audience: '00000002-0000-0000-c000-000000000000',
        currentDate: new Date(call.world.clock.now()),
      };
      await jwtVerify(proof, new X509Certificate(Buffer.from(key, 'base64')).publicKey, options);
      return;
    } catch {
      // The proof may be of another key.
    }
  }
  throw new GraphFailure(
    401,
    'Authentication_MissingOrMalformed',
    'Access Token missing or malformed: the proof is not valid.',
  );
}

/** The certificates of a PATCH, complete: dates and thumbprint are read from each. */
export function readKeyCredentials(call: Call, list: readonly unknown[]): KeyCredential[] {
  return list.map((one) => {
    if (!isRecord(one)) throw badRequest("Invalid value specified for property 'keyCredentials'.");
    const known = [...call.tenant.applications.values()]
      .flatMap(({ keyCredentials }) => keyCredentials)
      .find(({ keyId }) => keyId === one.keyId);
    // Credentials that are there already may be sent back without their key.
    if (known && !one.key) return known;
    if (typeof one.key !== 'string')
      throw badRequest("A key credential needs 'key', the certificate in base64.");
    return fromCertificate(one, one.key);
  });
}

function fromCertificate(one: Record<string, unknown>, key: string): KeyCredential {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(key, 'base64'));
  } catch {
    throw badRequest('Key credential is not a valid certificate.', [
      { code: 'InvalidValue', target: 'keyCredentials', message: 'The key is not a certificate.' },
    ]);
  }
  return {
    keyId: randomUUID(),
    displayName: typeof one.displayName === 'string' ? one.displayName : certificate.subject,
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
    startDateTime: certificate.validFromDate.toISOString(),
    endDateTime: certificate.validToDate.toISOString(),
    customKeyIdentifier: createHash('sha1').update(certificate.raw).digest('hex').toUpperCase(),
    key: certificate.raw.toString('base64'),
  };
}

function dateOf(asked: Record<string, unknown>, name: string): string | undefined {
  const value = asked[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value)))
    throw badRequest(`Cannot convert the literal of '${name}' to the expected type 'Edm.DateTimeOffset'.`);
  return value;
}

/** The tenant's policy on secrets, which a fault sets: none at all, or none beyond some days. */
function checkPolicy(call: Call, lifetime: number): void {
  const policy = call.world.faults.take('appManagementPolicy');
  if (!policy) return;
  if (policy.passwords === 'forbidden')
    throw new GraphFailure(
      400,
      'CredentialTypeNotAllowedAsPerAppPolicy',
      'Credential type not allowed as per assigned policy.',
    );
  if (lifetime > Number(policy.maxLifetimeDays ?? Number.POSITIVE_INFINITY) * day + 60_000)
    throw new GraphFailure(
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      'Credential lifetime exceeds the max value allowed as per assigned policy.',
    );
}
