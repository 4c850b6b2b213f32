import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { invalidInput } from '../../../failure/errors.ts';
import type { Application } from '../objects.ts';
import { settled } from '../settled.ts';
import { block, type SetupWorld } from './step.ts';
import type { ChosenCertificate } from './wish.ts';

/** A registered certificate as Graph lists it. */
type Registered = Application['keyCredentials'][number];

/** The certificate that was asked for, else the one that an earlier run has set up. */
export function chosenCertificate(
  { wish }: Pick<SetupWorld, 'wish'>,
  text: string,
): ChosenCertificate | undefined {
  if (wish.certificate) return wish.certificate;
  const own = block.in(text);
  const path = own.ENTRA_CLIENT_CERTIFICATE_PATH;
  return path ? { path, keyPath: own.ENTRA_CLIENT_CERTIFICATE_KEY_PATH || undefined } : undefined;
}

/** The settings that name a certificate. */
export function certificateSettings({ path, keyPath }: ChosenCertificate): Record<string, string> {
  return {
    ENTRA_CLIENT_CERTIFICATE_PATH: path,
    ...(keyPath ? { ENTRA_CLIENT_CERTIFICATE_KEY_PATH: keyPath } : {}),
  };
}

/** Reads the files; throws `invalid_input` when they are not a certificate in force and its key. */
export async function readCertificate(
  { files, now }: Pick<SetupWorld, 'files' | 'now'>,
  { path, keyPath = path }: ChosenCertificate,
): Promise<X509Certificate> {
  const refuse = (why: string): never => {
    throw invalidInput([{ at: '--certificate', message: why }]);
  };
  const [pem, key] = [await files.read(path), await files.read(keyPath)];
  if (pem === undefined || key === undefined)
    return refuse(`there is no file ${pem === undefined ? path : keyPath}.`);
  const certificate = parsed(() => new X509Certificate(pem)) ?? refuse(`${path} holds no certificate (PEM).`);
  const privateKey =
    parsed(() => createPrivateKey(key)) ??
    refuse(
      `${keyPath} holds no private key without a passphrase (PEM); name its file with --certificate-key.`,
    );
  if (privateKey.asymmetricKeyType !== 'rsa') refuse('the key must be an RSA key; Entra ID takes no other.');
  if (!certificate.checkPrivateKey(privateKey)) refuse(`the key in ${keyPath} is of another certificate.`);
  if (certificate.validToDate.getTime() <= now()) refuse(`the certificate in ${path} has expired.`);
  return certificate;
}

/** Whether a registered certificate is this one. */
export function isThatCertificate(registered: Registered, certificate: X509Certificate): boolean {
  const print = createHash('sha1').update(certificate.raw).digest();
  // Graph shows the thumbprint in hexadecimal digits, or as the base64 of its bytes.
  const shown = registered.customKeyIdentifier ?? '';
  return shown.toUpperCase() === print.toString('hex').toUpperCase() || shown === print.toString('base64');
}

/** Registers the public part beside what is registered already. */
export async function addCertificate(
  world: SetupWorld,
  { id, keyCredentials }: Application,
  certificate: X509Certificate,
): Promise<void> {
  const added = {
    ...{ type: 'AsymmetricX509Cert', usage: 'Verify', displayName: world.wish.secretName },
    key: certificate.raw.toString('base64'),
  };
  await settled(world, () => replace(world, id, [...keyCredentials, added]));
}

/** Sets the whole list; those that are there already go back without their key. */
export function replace(
  { graph }: SetupWorld,
  id: string,
  keyCredentials: readonly object[],
): Promise<unknown> {
  return graph.send('PATCH', `/applications/${id}`, {
    body: { keyCredentials },
    permission: 'Application.ReadWrite.All',
  });
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
