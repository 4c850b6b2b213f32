import type { Tenant } from '../tenant/model.ts';
import type { Client } from './client.ts';

/** A token request whose client is known and, as far as it presented something, authenticated. */
export type TokenRequest = {
  tenant: Tenant;
  client: Client;
  clientAuth: '0' | '1' | '2';
  form: Record<string, string>;
  /** The version of the endpoint: v1.0 names a `resource`, v2.0 a `scope`. */
  version: 1 | 2;
  origin: string | undefined;
};
