import type { Handlers, Output } from '../../../contract/endpoint.ts';
import type { groupEndpoints } from '../../../contract/people/groups.ts';
import type { Caller } from '../../access/caller.ts';
import { groupKey } from '../../access/names.ts';
import { asFailure, Failure, invalidInput } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { managedGroups } from '../managed.ts';
import { definitionOf, readDefinition, type Wanted } from '../scopes/definition.ts';
import { allGroups, findUnlessDenied, type SkipReason, unlessSkipped } from '../scopes/directory-group.ts';
import { lookAtGroups, type SeenGroups } from '../scopes/show.ts';
import { readStored, type StoredScope, type StoredScopes } from '../scopes/store.ts';
import { deleteScope, type ScopesApiWorld, unknownScope, type Written, writeScope } from '../scopes/write.ts';

type Item = Output<(typeof groupEndpoints)['groups.list']>['groups'][number];

/** Groups of the directory, and the scopes that none of them holds, by name. */
function listItems(stored: StoredScopes, seen: SeenGroups | undefined): Item[] {
  const held = new Set(seen?.groups.flatMap(({ scopes }) => scopes));
  const ofDirectory = (seen?.groups ?? []).map(
    ({ group, scopes }): Item => ({
      id: group.id,
      name: group.name,
      path: `/${group.name}`,
      attributes: {
        ...(group.description ? { description: [group.description] } : {}),
        mapping: [group.mapping],
      },
      is_idp_managed: true,
      scopes: [...scopes],
      source: stored.get(group.name)?.source ?? null,
    }),
  );
  const alone = [...stored.values()]
    .filter(({ scope }) => !held.has(scope.name))
    .map(
      ({ scope, source, idpGroupId }): Item => ({
        id: scope.name,
        name: scope.name,
        path: `/${scope.name}`,
        attributes: scope.description ? { description: [scope.description] } : {},
        is_idp_managed: idpGroupId !== null,
        scopes: [scope.name],
        source,
      }),
    );
  return [...ofDirectory, ...alone].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

type Who = Caller<Identity>;

/** How long the names of groups are kept, in milliseconds: everyone asks for them, and they hardly ever change. */
const namesKept = 600_000;

/** The names of the directory's groups by their mapping, asked for at most every ten minutes; none when it does not say. */
function nameKeeper({ directory, now }: ScopesApiWorld): () => Promise<ReadonlyMap<string, string>> {
  let kept: { readonly until: number; readonly names: Promise<ReadonlyMap<string, string>> } | undefined;
  const ask = async (): Promise<ReadonlyMap<string, string>> => {
    if (!directory) return new Map();
    const { groups } = await allGroups(directory);
    return new Map(groups.map(({ mapping, name }) => [groupKey(mapping), name]));
  };
  return () => {
    if (!kept || kept.until < now())
      kept = {
        until: now() + namesKept,
        // Without a name the id is shown, and the next who asks tries again.
        names: ask().catch(() => {
          kept = undefined;
          return new Map<string, string>();
        }),
      };
    return kept.names;
  };
}

/** What a group's `scope_config` may hold. */
const configMembers = [
  'server_access',
  'ui_permissions',
  'agent_access',
  'group_mappings',
  'clients',
  'create_in_idp',
];

/** The functions behind the endpoints of groups: scopes, as the identity administrator sees them. */
export function groupHandlers(world: ScopesApiWorld): Handlers<typeof groupEndpoints, Who> {
  const namesOf = nameKeeper(world);
  return {
    async 'groups.mine'(_, { identity }) {
      const isTheirs = world.directory?.provider === identity.provider;
      const names = isTheirs && identity.groups.length > 0 ? await namesOf() : new Map<string, string>();
      return { groups: [...identity.groups].map((id) => ({ id, name: names.get(groupKey(id)) ?? null })) };
    },
    async 'groups.list'() {
      const stored = await readStored(world.db);
      const seen = world.directory && (await lookAtGroups(world.directory, stored));
      const groups = listItems(stored, seen);
      return { groups, total: groups.length, truncated: seen?.truncated ?? false };
    },
    async 'groups.get'({ params }) {
      return detailOf(await known(world, params.name));
    },
    async 'groups.create'({ body }, caller) {
      const { name, description, scope_config } = body;
      const wanted = readConfig({ scope_name: name, description }, scope_config);
      return changedGroup(await writeScope(world, caller, wanted, true), null);
    },
    async 'groups.patch'({ params, body }, caller) {
      const { scope, idpGroupId } = await known(world, params.name);
      const description = body.description ?? scope.description ?? '';
      const wanted = readConfig({ ...definitionOf(scope), description }, body.scope_config ?? {});
      const written = await writeScope(world, caller, wanted);
      if (body.description === undefined) return changedGroup(written, null);
      const skipped = await describe(world, idpGroupId ?? written.stored.idpGroupId, description);
      if (skipped) caller.note({ idp_skip_reason: skipped });
      return changedGroup(written, skipped);
    },
    async 'groups.remove'({ params }, caller) {
      const { name } = params;
      const removed = await deleteScope(world, caller, name, { fromIdp: 'managed', force: false });
      return { name, deleted: true, idp_deleted: removed.idpDeleted, idp_skip_reason: removed.skipped };
    },
  };
}

function readConfig(
  base: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): Wanted {
  const foreign = Object.keys(config).filter((member) => !configMembers.includes(member));
  if (foreign.length > 0)
    throw invalidInput(
      foreign.map((member) => ({
        at: `body.scope_config.${member}`,
        message: `scope_config may have: ${configMembers.join(', ')}`,
      })),
    );
  return readDefinition({ ...base, ...config }, 'body.scope_config');
}

/** Tells the directory the new description. The scope has it already: a failure says so. */
async function describe(
  world: ScopesApiWorld,
  id: string | null,
  description: string,
): Promise<SkipReason | null> {
  try {
    const { directory } = world;
    const group = id === null ? undefined : await findUnlessDenied(directory, id);
    if (directory && group && !(await managedGroups(world, directory, [group])).has(group))
      return 'not_managed';
    return await unlessSkipped(directory, id, (groups, found) => groups.update?.(found, { description }));
  } catch (error) {
    const failure = asFailure(error);
    const rest = 'The scope is changed; its description in the directory is not: repeat this.';
    throw new Failure(failure.code, `${failure.message} ${rest}`, { cause: error });
  }
}

async function known(world: ScopesApiWorld, name: string): Promise<StoredScope> {
  const found = (await readStored(world.db)).get(name);
  if (!found) throw unknownScope(name);
  return found;
}

function detailOf({ scope, source, idpGroupId }: StoredScope) {
  const { scope_name, scope_type: _, ...definition } = definitionOf(scope);
  return {
    ...definition,
    id: idpGroupId ?? scope_name,
    name: scope_name,
    path: `/${scope_name}`,
    is_idp_managed: idpGroupId !== null,
    source,
    editable: source === 'api',
  };
}

function changedGroup({ stored, warnings }: Written, skipped: SkipReason | null) {
  return { ...detailOf(stored), idp_skip_reason: skipped, warnings: [...warnings] };
}
