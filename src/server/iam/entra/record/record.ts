import {
  type EntraObservation,
  type EntraRecord,
  entraRecord,
} from '../../../../contract/diagnosis/entra-record.ts';
import type { EntraConfig } from '../../../config/config.ts';
import type { Fetch } from '../../../net/outbound.ts';
import type { ClientProof } from '../../../provider/entra-token.ts';
import { graphScope } from '../objects.ts';
import { gatewayProof, graphProof } from '../proof.ts';
import { headersOf, shapeOf, tokenShape } from './shape.ts';

/** What recording works with. */
export interface RecordWorld {
  readonly config: EntraConfig;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** How the gateway proves itself, where it is not as the settings say. */
  readonly proof?: ClientProof;
}

/** Something to ask; all of it reads, or is refused. */
interface Question {
  readonly id: string;
  readonly asked: string;
  send(asking: Asking): Promise<Response>;
}

interface Asking {
  readonly config: EntraConfig;
  readonly api: string;
  login(path: string, tenant?: string): Promise<Response>;
  token(form: Readonly<Record<string, string>>, endpoint?: string): Promise<Response>;
  graph(path: string, options?: { readonly body?: unknown; readonly token?: string }): Promise<Response>;
  readonly own: Readonly<Record<string, string>>;
  readonly ofGraph: Readonly<Record<string, string>>;
}

const nobody = '11111111-2222-4333-8444-555555555555';
const discovery = '.well-known/openid-configuration';
const client = { grant_type: 'client_credentials' };

const questions: readonly Question[] = [
  { id: 'discovery-v2', asked: 'the discovery document', send: ({ login }) => login(`v2.0/${discovery}`) },
  { id: 'discovery-v1', asked: 'the v1.0 discovery document', send: ({ login }) => login(discovery) },
  {
    id: 'discovery-common',
    asked: 'the discovery document of common',
    send: ({ login }) => login(`v2.0/${discovery}`, 'common'),
  },
  {
    id: 'discovery-unknown',
    asked: 'the discovery document of a tenant that does not exist',
    send: ({ login }) => login(`v2.0/${discovery}`, nobody),
  },
  { id: 'keys-v2', asked: 'the signing keys', send: ({ login }) => login('discovery/v2.0/keys') },
  { id: 'keys-v1', asked: 'the v1.0 signing keys', send: ({ login }) => login('discovery/keys') },
  {
    id: 'agent-token',
    asked: "an app-only token for the gateway's API",
    send: ({ token, own, api }) => token({ ...client, ...own, scope: `${api}/.default` }),
  },
  {
    id: 'graph-token',
    asked: 'an app-only token for Microsoft Graph',
    send: ({ token, ofGraph }) => token({ ...client, ...ofGraph, scope: graphScope }),
  },
  {
    id: 'wrong-secret',
    asked: 'a token with a wrong secret',
    send: ({ token, config }) =>
      token({ ...client, client_id: config.clientId, client_secret: 'wrong', scope: graphScope }),
  },
  {
    id: 'no-secret',
    asked: 'a token without a secret',
    send: ({ token, config }) => token({ ...client, client_id: config.clientId, scope: graphScope }),
  },
  {
    id: 'unknown-client',
    asked: 'a token for an application that does not exist',
    send: ({ token }) => token({ ...client, client_id: nobody, client_secret: 'wrong', scope: graphScope }),
  },
  {
    id: 'no-client',
    asked: 'a token without client_id',
    send: ({ token }) => token({ ...client, scope: graphScope }),
  },
  {
    id: 'unknown-grant',
    asked: 'a grant type that does not exist',
    send: ({ token, own }) => token({ ...own, grant_type: 'recorded' }),
  },
  {
    id: 'unknown-resource',
    asked: 'a token for an API that does not exist',
    send: ({ token, own }) => token({ ...client, ...own, scope: `api://${nobody}/.default` }),
  },
  {
    id: 'no-default',
    asked: 'an app-only token for a single scope',
    send: ({ token, own, api }) => token({ ...client, ...own, scope: `${api}/access_as_user` }),
  },
  {
    id: 'dead-refresh-token',
    asked: 'a refresh token that is none',
    send: ({ token, own }) => token({ ...own, grant_type: 'refresh_token', refresh_token: 'recorded' }),
  },
  {
    id: 'dead-code',
    asked: 'an authorization code that is none',
    send: ({ token, own, config }) =>
      token({ ...own, grant_type: 'authorization_code', code: 'recorded', redirect_uri: config.redirectUri }),
  },
  {
    id: 'device-code-confidential',
    asked: 'a device code for a confidential client',
    send: ({ token, config }) => token({ client_id: config.clientId, scope: 'openid' }, 'devicecode'),
  },
  {
    id: 'graph-nonsense-token',
    asked: 'Graph with a token that is none',
    send: ({ graph }) => graph('/organization', { token: 'recorded' }),
  },
  {
    id: 'graph-application',
    asked: "the gateway's registration",
    send: ({ graph, config }) => graph(`/applications(appId='${config.clientId}')`),
  },
  {
    id: 'graph-principal',
    asked: "the gateway's service principal",
    send: ({ graph, config }) => graph(`/servicePrincipals(appId='${config.clientId}')`),
  },
  {
    id: 'graph-unknown',
    asked: 'a group that does not exist',
    send: ({ graph }) => graph(`/groups/${nobody}`),
  },
  { id: 'graph-me', asked: '/me without a user', send: ({ graph }) => graph('/me') },
  {
    id: 'graph-counted-list',
    asked: 'a list with its count',
    send: ({ graph }) => graph('/groups?$top=1&$select=id&$count=true'),
  },
  {
    id: 'graph-bad-filter',
    asked: 'a filter that Graph does not support',
    send: ({ graph }) => graph("/groups?$filter=contains(displayName,'recorded')"),
  },
  {
    id: 'graph-too-many-ids',
    asked: 'checkMemberGroups with 21 ids',
    send: ({ graph }) =>
      graph(`/directoryObjects/${nobody}/checkMemberGroups`, {
        body: { groupIds: Array.from({ length: 21 }, (_, at) => nobody.replace(/..$/, String(10 + at))) },
      }),
  },
];

/** Asks a tenant what the emulator imitates, and keeps the shapes of the answers. Changes nothing in the tenant. */
export async function recordEntra(world: RecordWorld): Promise<EntraRecord> {
  const asking = await open(world);
  const observations: EntraObservation[] = [];
  for (const { id, asked, send } of questions) {
    observations.push({ id, asked, ...(await observed(await send(asking))) });
  }
  const date = new Date(world.now()).toISOString().slice(0, 10);
  return entraRecord.parse({ kind: 'entra-record', version: 1, date, observations });
}

async function observed(answer: Response) {
  const text = await answer.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = text === '' ? null : '<no JSON>';
  }
  const token = tokenShape((body as { access_token?: unknown } | null)?.access_token);
  return {
    status: answer.status,
    ...headersOf(answer.headers),
    body: shapeOf(body),
    ...(token ? { token } : {}),
  };
}

async function open({ config, fetch: send, proof }: RecordWorld): Promise<Asking> {
  const { loginBaseUrl, graphBaseUrl, tenantId } = config;
  const byItself = proof ?? gatewayProof(config);
  const [own, ofGraph] = [await byItself(), await graphProof(config, byItself)()];
  const accept = { accept: 'application/json' };
  const token: Asking['token'] = (form, endpoint = 'token') =>
    send(`${loginBaseUrl}/${tenantId}/oauth2/v2.0/${endpoint}`, {
      method: 'POST',
      headers: { ...accept, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
  const granted = await token({ ...client, ...ofGraph, scope: graphScope });
  const { access_token = '' } = (await granted.json()) as { access_token?: string };
  return {
    ...{ config, own, ofGraph, token },
    api: config.applicationIdUri ?? `api://${config.clientId}`,
    login: (path, tenant = tenantId) => send(`${loginBaseUrl}/${tenant}/${path}`, { headers: accept }),
    graph: (path, { body, token: given = access_token } = {}) =>
      send(`${graphBaseUrl}/v1.0${path}`, {
        headers: {
          ...accept,
          authorization: `Bearer ${given}`,
          consistencylevel: 'eventual',
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      }),
  };
}
