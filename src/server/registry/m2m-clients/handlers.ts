import type { z } from 'zod';
import type { Handlers } from '../../../contract/endpoint.ts';
import type { m2mClient, m2mClientEndpoints } from '../../../contract/people/m2m-clients.ts';
import type { Caller } from '../../access/caller.ts';
import type { Db } from '../../db/tables.ts';
import { Failure, invalidInput } from '../../failure/errors.ts';
import type { Directory } from '../../iam/directory.ts';
import type { Identity } from '../../identity/identity.ts';
import { type AdministratorsWorld, assertApplicationCanGo, notedPower } from '../administrators.ts';
import {
  addRecord,
  changeRecord,
  findRecordsOf,
  listRecords,
  type M2mRecord,
  removeRecord,
} from './store.ts';

/** What the endpoints of directly registered applications need. */
export interface M2mClientsWorld extends AdministratorsWorld {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The directory behind the provider; undefined where none is set up. */
  readonly directory: Directory | undefined;
  /** The identity providers whose tokens records can be for, the one that is meant unless another is named first. */
  readonly providers: readonly string[];
}

/** The functions behind the endpoints of applications that the registry knows of itself. */
export function m2mClientHandlers(
  world: M2mClientsWorld,
): Handlers<typeof m2mClientEndpoints, Caller<Identity>> {
  const { db } = world;
  const at = (): string => new Date(world.now()).toISOString();
  const known = (clientId: string, provider: string | undefined) => theRecord(db, clientId, provider);
  const own = async (clientId: string, provider: string | undefined): Promise<M2mRecord> => {
    const found = await known(clientId, provider);
    if (found.source === 'manual') return found;
    throw new Failure(
      'not_allowed',
      `'${clientId}' is an account in ${found.source}: change or delete it as a user (/api/management/iam/users, or mcp-gateway user).`,
    );
  };
  const mapped = ({ provider, groups, isEnabled }: M2mRecord): readonly string[] =>
    isEnabled ? world.qualify(provider, groups) : [];
  return {
    async 'm2mClients.create'({ body }, { identity, note }) {
      const provider = theProvider(world.providers, body.identity_provider);
      const record: M2mRecord = {
        ...{ provider, clientId: body.client_id.toLowerCase(), name: body.client_name },
        ...{ description: body.description ?? '', groups: [...new Set(body.groups)], isEnabled: true },
        ...{ source: 'manual', createdBy: identity.username, createdAt: at(), updatedAt: at() },
      };
      if (!(await addRecord(db, record)))
        throw new Failure('conflict', `An application '${record.clientId}' is already registered here.`);
      note({ before: null, after: present(record), ...notedPower(world, [], mapped(record)) });
      return present(record);
    },
    async 'm2mClients.list'({ query }) {
      const { provider: source, limit, skip } = query;
      const { items, total } = await listRecords(db, { source, limit, skip });
      return { total, limit, skip, items: items.map(present) };
    },
    async 'm2mClients.get'({ params, query }) {
      return present(await known(params.client_id, query.identity_provider));
    },
    async 'm2mClients.change'({ params, query, body }, caller) {
      const before = await own(params.client_id, query.identity_provider);
      const after: M2mRecord = {
        ...before,
        name: body.client_name ?? before.name,
        description: body.description ?? before.description,
        groups: body.groups ? [...new Set(body.groups)] : before.groups,
        isEnabled: body.enabled ?? before.isEnabled,
        updatedAt: at(),
      };
      await assertApplicationCanGo(world, world.directory, caller, {
        clientId: after.clientId,
        groups: mapped(after),
      });
      await changeRecord(db, after);
      const power = notedPower(world, mapped(before), mapped(after));
      caller.note({ before: present(before), after: present(after), ...power });
      return present(after);
    },
    async 'm2mClients.remove'({ params, query }, caller) {
      const before = await own(params.client_id, query.identity_provider);
      await assertApplicationCanGo(world, world.directory, caller, { clientId: before.clientId, groups: [] });
      await removeRecord(db, before.provider, before.clientId);
      caller.note({ before: present(before), after: null });
      return undefined;
    },
  };
}

function theProvider(providers: readonly string[], asked: string | undefined): string {
  const provider = asked ?? providers[0];
  if (provider !== undefined && providers.includes(provider)) return provider;
  throw invalidInput([{ at: 'body.identity_provider', message: `must be one of ${providers.join(', ')}` }]);
}

/** Also that of a provider that AUTH_PROVIDER names no more: somebody has to be able to remove it. */
async function theRecord(db: Db, clientId: string, provider: string | undefined): Promise<M2mRecord> {
  const [found, ...others] = (await findRecordsOf(db, clientId)).filter(
    (one) => provider === undefined || one.provider === provider,
  );
  if (!found) throw new Failure('not_found', `No application '${clientId}' is registered here.`);
  if (others.length === 0) return found;
  const names = [found, ...others].map((one) => one.provider).join(', ');
  throw new Failure(
    'conflict',
    `'${clientId}' is registered for tokens of ${names}; say which one with identity_provider.`,
  );
}

function present(record: M2mRecord): z.output<typeof m2mClient> {
  return {
    ...{ client_id: record.clientId, client_name: record.name, description: record.description },
    ...{ groups: [...record.groups], provider: record.source, identity_provider: record.provider },
    ...{ enabled: record.isEnabled, created_by: record.createdBy },
    ...{ created_at: record.createdAt, updated_at: record.updatedAt },
  };
}
