import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EntraConfig } from '../../../config/config.ts';
import { Failure } from '../../../failure/errors.ts';

/** When the gateway's client certificate ends (ISO 8601), as its file says; undefined where it uses none. */
export async function certificateEndOf({
  certificate,
}: Pick<EntraConfig, 'certificate'>): Promise<string | Failure | undefined> {
  if (!certificate) return undefined;
  try {
    const { validTo } = new X509Certificate(await readFile(certificate.path));
    return new Date(validTo).toISOString();
  } catch (cause) {
    return new Failure('identity_unavailable', 'The file of ENTRA_CLIENT_CERTIFICATE_PATH cannot be read.', {
      cause,
    });
  }
}
