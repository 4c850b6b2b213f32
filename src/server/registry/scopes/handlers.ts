import type { Handlers, Input, Output } from '../../../contract/endpoint.ts';
import { readScopeDefinition } from '../../../contract/files/scope-file.ts';
import type { scopeEndpoints } from '../../../contract/scopes.ts';
import type { Caller } from '../../access/caller.ts';
import type { Scope } from '../../access/scope-set.ts';
import { asFailure, Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { changeScopes, type Plan } from './change.ts';
import { readDefinition, viewOf } from './definition.ts';
import { reachesEvery, serverNameOf, withoutServer, withServer } from './server-access.ts';
import { listAnswer, lookAtGroups } from './show.ts';
import { readStored } from './store.ts';
import {
  changedAnswer,
  deleteScope,
  type ScopesApiWorld,
  unknownScope,
  warningsFor,
  writeScope,
} from './write.ts';

type Endpoints = typeof scopeEndpoints;
type Who = Caller<Identity>;

/** The functions behind the endpoints of scopes. */
export function scopeHandlers(world: ScopesApiWorld): Handlers<Endpoints, Who> {
  return {
    async 'scopes.list'({ query }) {
      const stored = await readStored(world.db);
      const shown = query.include_scopes === 'true' ? stored : new Map();
      const { directory } = world;
      if (!directory || query.include_keycloak === 'false') return listAnswer(shown, undefined, null);
      try {
        return listAnswer(shown, await lookAtGroups(directory, stored), directory.provider);
      } catch (error) {
        const { code, message } = asFailure(error);
        // An outage is one for the caller too; what the gateway may not see stays so, and the scopes are known all the same.
        if (code !== 'directory_denied') throw error;
        return listAnswer(shown, undefined, null, message);
      }
    },
    async 'scopes.get'({ params }) {
      const found = (await readStored(world.db)).get(params.name);
      if (!found) throw unknownScope(params.name);
      return viewOf(found);
    },
    async 'scopes.import'({ body }, caller) {
      const { body: definition, notes } = readScopeDefinition(body);
      const written = await writeScope(world, caller, readDefinition(definition));
      const warnings = [...notes, ...written.warnings];
      return changedAnswer(`Group ${written.stored.scope.name} imported successfully`, {
        ...written,
        warnings,
      });
    },
    async 'scopes.create'({ body }, caller) {
      const { group_name, description, create_in_idp } = body;
      const wanted = readDefinition({ scope_name: group_name, description, create_in_idp });
      const written = await writeScope(world, caller, wanted, true);
      return changedAnswer(`Group ${group_name} created successfully`, written);
    },
    async 'scopes.delete'({ body }, caller) {
      const fromIdp = (body.delete_from_idp ?? body.delete_from_keycloak) ? 'mapped' : 'no';
      const removed = await deleteScope(world, caller, body.group_name, { fromIdp, force: body.force });
      return {
        message: `Group ${body.group_name} deleted successfully`,
        group_name: body.group_name,
        deleted: true,
        idp_deleted: removed.idpDeleted,
        idp_skip_reason: removed.skipped,
      };
    },
    'scopes.add': ({ body }, caller) => changeServer(world, caller, body, withServer),
    'scopes.remove': ({ body }, caller) => changeServer(world, caller, body, withoutServer),
  };
}

/** Does the same to several scopes, in one transaction. */
async function changeServer(
  world: ScopesApiWorld,
  caller: Who,
  { server_name, group_names }: Input<Endpoints['scopes.add']>['body'],
  change: (scope: Scope, server: string) => Scope,
): Promise<Output<Endpoints['scopes.add']>> {
  const server = serverNameOf(server_name);
  const plan: Plan = (stored) => {
    const unknown = group_names.filter((name) => !stored.has(name));
    if (unknown.length > 0)
      throw new Failure(
        'not_found',
        `There is no scope ${unknown.map((name) => `'${name}'`).join(', ')}; nothing was changed.`,
      );
    return new Map(
      group_names.flatMap((name) => {
        const found = stored.get(name);
        return found ? [[name, { scope: change(found.scope, server), idpGroupId: found.idpGroupId }]] : [];
      }),
    );
  };
  const { changed, stored } = await changeScopes(world, caller, plan);
  const scopes = group_names.flatMap((name) => stored.get(name)?.scope ?? []);
  const adding = change === withServer;
  const warnings = adding
    ? (await Promise.all(scopes.map((scope) => warningsFor(world, scope)))).flat()
    : scopes
        .filter(reachesEvery)
        .map(({ name }) => `'${name}' still reaches the server, by its rule for every server`);
  const verb = adding ? 'added to' : 'removed from';
  return {
    message: `Server ${server} ${verb} ${group_names.join(', ')}`,
    server_name: server,
    groups: group_names.map((name) => ({ group_name: name, changed: changed.has(name) })),
    warnings: [...new Set(warnings)],
  };
}
