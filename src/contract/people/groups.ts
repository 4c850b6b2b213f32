import { z } from 'zod';
import type { Endpoints } from '../endpoint.ts';
import { scopeDefinition, scopeName, scopeSource } from '../scopes.ts';

/** Why the directory was not told of a change that it should have been told. */
export const idpSkipReason = z.enum(['forbidden', 'not_found', 'local_only', 'not_managed']);

/** One of them. */
export type IdpSkipReason = z.output<typeof idpSkipReason>;

/** A group as the list shows it: of the directory, or a scope that no group of the directory holds. */
const group = z.object({
  /** The directory's id; for a scope alone its name. */
  id: z.string(),
  name: z.string(),
  path: z.string(),
  attributes: z.record(z.string(), z.array(z.string())),
  /** Whether the directory has it. */
  is_idp_managed: z.boolean(),
  /** The scopes that its members hold. */
  scopes: z.array(z.string()),
  /** Where the scope comes from; null for a group of the directory that has none of its name. */
  source: scopeSource.nullable(),
});

/** A group in full: its scope and where it comes from. */
const groupDetail = scopeDefinition.omit({ scope_name: true, scope_type: true }).extend({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  is_idp_managed: z.boolean(),
  source: scopeSource,
  editable: z.boolean(),
});

const changedGroup = groupDetail.extend({
  /** Why the directory was not told of the change; null when it was. */
  idp_skip_reason: idpSkipReason.nullable(),
  warnings: z.array(z.string()),
});

/** What a group's scope is to say; parts left out of a change stay as they are. Read with the rules of the scope file. */
const scopeConfig = z.record(z.string(), z.json());

const nameParams = z.object({ name: z.string().min(1).max(300) });

/** The endpoints of groups as the identity administrator sees them. */
export const groupEndpoints = {
  'groups.mine': {
    method: 'GET',
    path: '/api/auth/me/groups',
    permission: 'identity',
    summary: "The caller's groups with their names in the directory, where it can be asked",
    output: z.object({
      groups: z.array(z.object({ id: z.string(), name: z.string().nullable() })),
    }),
  },
  'groups.list': {
    method: 'GET',
    path: '/api/management/iam/groups',
    permission: 'administrator',
    summary: 'Groups of the directory, and scopes that have none, by name',
    output: z.object({ groups: z.array(group), total: z.number().int(), truncated: z.boolean() }),
  },
  'groups.create': {
    method: 'POST',
    path: '/api/management/iam/groups',
    permission: 'administrator',
    summary: 'Create a group: a scope and, with `create_in_idp`, a group in the directory',
    body: z.strictObject({
      name: scopeName,
      description: z.string().max(2000).default(''),
      scope_config: scopeConfig.default({}),
    }),
    output: changedGroup,
  },
  'groups.get': {
    method: 'GET',
    path: '/api/management/iam/groups/{name}',
    permission: 'administrator',
    summary: 'One group with its scope',
    params: nameParams,
    output: groupDetail,
  },
  'groups.patch': {
    method: 'PATCH',
    path: '/api/management/iam/groups/{name}',
    permission: 'administrator',
    summary: 'Change the description or parts of the scope; the directory gets the description only',
    params: nameParams,
    body: z.strictObject({
      description: z.string().max(2000).optional(),
      scope_config: scopeConfig.optional(),
    }),
    output: changedGroup,
  },
  'groups.remove': {
    method: 'DELETE',
    path: '/api/management/iam/groups/{name}',
    permission: 'administrator',
    summary: 'Remove a group: its scope and, when the gateway made it there, the group in the directory',
    params: nameParams,
    output: z.object({
      name: z.string(),
      deleted: z.literal(true),
      idp_deleted: z.boolean(),
      idp_skip_reason: idpSkipReason.nullable(),
    }),
  },
} as const satisfies Endpoints;
