import { z } from 'zod';
import { Failure, type FailureCode } from '../../failure/errors.ts';

const text = z.string().catch('');
const said = z
  .object({ error: text, errorMessage: text, error_description: text, field: text })
  .catch({ error: '', errorMessage: '', error_description: '', field: '' });

/** What was asked of Keycloak, for the message. */
export interface Asked {
  readonly method: string;
  /** Below `/admin/realms/{realm}`. */
  readonly path: string;
  /** The role of `realm-management` that it takes. */
  readonly role: string;
  /** Who asks, for the message when the role is missing. */
  readonly who: string;
}

/** The failure that an answer of the Admin REST API with a status of 400 or more amounts to. */
export function keycloakFailure(asked: Asked, status: number, body: unknown): Failure {
  const { error, errorMessage, error_description, field } = said.parse(body);
  const words = [field, errorMessage || error_description || error].filter(Boolean).join(': ');
  const [code, message] = judge(asked, status, words.replace(/\.$/, '') || 'it does not say why');
  return new Failure(code, `${message} (${asked.method} ${asked.path}: status ${status}).`);
}

function judge({ role, who }: Asked, status: number, words: string): [FailureCode, string] {
  if (status === 401) return ['directory_denied', `Keycloak does not accept the gateway's token: ${words}`];
  if (status === 403)
    return ['directory_denied', `Keycloak denies this: ${who} lacks the role ${role} of realm-management`];
  if (status === 404) return ['not_found', 'Keycloak has no such object'];
  if (status === 409) return ['conflict', `Keycloak has it already: ${words}`];
  if (status === 429 || status >= 500)
    return ['directory_unavailable', 'Keycloak is not available right now; try again in a minute'];
  return ['directory_refused', `Keycloak refuses this: ${words}`];
}
