import type { EntraConfig } from '../../config/config.ts';
import { clientAuthOf } from '../../provider/entra-credential.ts';
import type { ClientProof } from '../../provider/entra-token.ts';

/** How the gateway proves itself at sign-in: with its secret, certificate, federated token or managed identity. */
export function gatewayProof(config: EntraConfig): ClientProof {
  const { loginBaseUrl, tenantId, clientId } = config;
  const issuer = `${loginBaseUrl}/${tenantId}`;
  return async () => {
    const body = new URLSearchParams();
    const server = { issuer, token_endpoint: `${issuer}/oauth2/v2.0/token` };
    await clientAuthOf(config)(server, { client_id: clientId }, body, new Headers());
    return { client_id: clientId, ...Object.fromEntries(body) };
  };
}

/** What asks Graph: a registration of its own where there is one, else the gateway's own. */
export function graphProof({ graph, ...config }: EntraConfig, own = gatewayProof(config)): ClientProof {
  return graph ? async () => ({ client_id: graph.clientId, client_secret: graph.clientSecret }) : own;
}
