import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';

const clientId = z.string().regex(/^[A-Za-z0-9_\-.:]{1,256}$/, {
  error: 'must be 1 to 256 letters, digits and - _ . :',
});
const groups = z.array(z.string().trim().min(1).max(256)).max(200);
const name = z.string().trim().min(1).max(256);
const description = z.string().trim().max(1024);

/** What the registry itself knows of an application: groups, for tokens that list none. */
export const m2mClient = z.object({
  client_id: z.string(),
  client_name: z.string(),
  description: z.string(),
  groups: z.array(z.string()),
  /** `manual` for what was registered here; else the provider in whose directory the gateway made the account. */
  provider: z.string(),
  /** The provider whose tokens the record is for. */
  identity_provider: z.string(),
  enabled: z.boolean(),
  created_by: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});

const params = z.object({ client_id: clientId });
/** Whose tokens the record is for, where several providers' records have the client id. */
const query = z.strictObject({ identity_provider: z.string().max(50).optional() });

/** The endpoints of applications that are registered directly, without the directory. */
export const m2mClientEndpoints = {
  'm2mClients.create': {
    method: 'POST',
    path: '/api/iam/m2m-clients',
    permission: 'administrator',
    summary: 'Register an application by its client id with groups, without touching the directory',
    body: z.strictObject({
      client_id: clientId,
      client_name: name,
      groups,
      description: description.optional(),
      /** One of AUTH_PROVIDER; unless given, that with a directory, else the first. */
      identity_provider: z.string().max(50).optional(),
    }),
    output: m2mClient,
    status: 201,
  },
  'm2mClients.list': {
    method: 'GET',
    path: '/api/iam/m2m-clients',
    permission: 'administrator',
    summary: 'The applications that the registry knows of itself, by client id',
    query: z.strictObject({
      provider: z.string().max(50).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(500),
      skip: z.coerce.number().int().min(0).default(0),
    }),
    output: z.object({
      total: z.number().int(),
      limit: z.number().int(),
      skip: z.number().int(),
      items: z.array(m2mClient),
    }),
  },
  'm2mClients.get': {
    method: 'GET',
    path: '/api/iam/m2m-clients/{client_id}',
    permission: 'administrator',
    summary: 'One application that the registry knows of itself',
    params,
    query,
    output: m2mClient,
  },
  'm2mClients.change': {
    method: 'PATCH',
    path: '/api/iam/m2m-clients/{client_id}',
    permission: 'administrator',
    summary: 'Change what is given of a directly registered application; an empty list clears its groups',
    params,
    query,
    body: z.strictObject({
      client_name: name.optional(),
      groups: groups.optional(),
      description: description.optional(),
      enabled: z.boolean().optional(),
    }),
    output: m2mClient,
  },
  'm2mClients.remove': {
    method: 'DELETE',
    path: '/api/iam/m2m-clients/{client_id}',
    permission: 'administrator',
    summary: 'Forget a directly registered application',
    params,
    query,
    output: z.undefined(),
    status: 204,
  },
} as const satisfies Endpoints;
