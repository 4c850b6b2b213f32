import { type ClientAuth, ClientSecretPost } from 'openid-client';

/** How an application proves at Entra ID that it is itself. */
export interface EntraCredential {
  readonly clientSecret: string;
}

/** The credential as openid-client uses it. */
export function clientAuthOf(credential: EntraCredential): ClientAuth {
  return ClientSecretPost(credential.clientSecret);
}
