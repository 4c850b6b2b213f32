import { z } from 'zod';
import { Failure, invalidInput } from '../../../failure/errors.ts';
import { type Graph, keyed, quoted } from '../../../provider/graph.ts';
import type { DirectoryGroup, Groups } from '../../directory.ts';
import { isId, isName, theOne } from '../../names.ts';
import { type Patience, settled } from '../settled.ts';

/** What is read of a group. */
export const groupFields = 'id,displayName,description,securityEnabled,groupTypes,onPremisesSyncEnabled';

/** A group as Graph shows it. */
export const graphGroup = z.looseObject({
  id: z.string(),
  displayName: z.string(),
  description: z.string().nullish(),
  securityEnabled: z.boolean().nullish(),
  groupTypes: z.array(z.string()).nullish(),
  onPremisesSyncEnabled: z.boolean().nullish(),
});

/** As the directory says it; undefined for a group that is in no token, since it gives no access (mail only). */
export function groupOf(one: z.output<typeof graphGroup>): DirectoryGroup | undefined {
  if (one.securityEnabled === false) return undefined;
  const { id, displayName: name, description } = one;
  const editable = !one.groupTypes?.includes('DynamicMembership') && one.onPremisesSyncEnabled !== true;
  return { id, name, description: description || null, mapping: id, editable };
}

/** What the groups are made with. */
export interface GroupsWorld extends Patience {
  readonly graph: Graph;
  readonly newId: () => string;
}

const read = { permission: 'GroupMember.Read.All' };
const write = { permission: 'Group.ReadWrite.All' };

/** Security groups of a tenant. */
export function entraGroups({
  graph,
  newId,
  ...patience
}: GroupsWorld): Groups & Required<Omit<Groups, 'within'>> {
  const find = async (idOrName: string): Promise<DirectoryGroup | undefined> => {
    if (isId(idOrName)) {
      const found = await graph.find(`/groups/${idOrName.toLowerCase()}`, graphGroup, {
        ...read,
        query: { $select: groupFields },
      });
      return found && groupOf(found);
    }
    if (!isName(idOrName)) return undefined;
    const query = { $select: groupFields, $filter: `displayName eq ${quoted(idOrName)}`, $top: '20' };
    const { items } = await graph.page('/groups', graphGroup, { ...read, query });
    const groups = items.flatMap((one) => groupOf(one) ?? []);
    return theOne(groups, idOrName, ({ name }) => name);
  };
  return {
    async list({ search, limit, from }) {
      const begins = search ? ` and startswith(displayName,${quoted(search)})` : '';
      const query = {
        $select: groupFields,
        $filter: `securityEnabled eq true${begins}`,
        $orderby: 'displayName',
        $top: String(Math.min(limit, 999)),
      };
      const page = await graph.page('/groups', graphGroup, { ...read, query, from, eventual: true });
      const items = page.items.flatMap((one) => groupOf(one) ?? []);
      return { items, next: page.next, total: page.count ?? null };
    },
    find,
    async create({ name, description }) {
      if (!isName(name)) throw tooLong();
      const taken = await find(name);
      if (taken)
        throw new Failure('conflict', `The directory has a group '${taken.name}' (${taken.id}) already.`);
      // The alternate key makes it safe to send again: a second time finds what the first one made.
      const key = keyed('groups', 'uniqueName', `mcp-gateway-${newId()}`);
      const made = await graph.send('PATCH', key, {
        ...write,
        headers: { prefer: 'create-if-missing' },
        body: {
          ...{
            displayName: name,
            description: description || null,
            mailEnabled: false,
            securityEnabled: true,
          },
          mailNickname: nicknameOf(name),
        },
      });
      const created = graphGroup.safeParse(made);
      const group = created.success
        ? created.data
        : await settled(patience, () => graph.get(key, graphGroup, read));
      const { id, displayName } = group;
      return { id, name: displayName, description: description || null, mapping: id, editable: true };
    },
    async update(id, { description }) {
      await graph.send('PATCH', pathOf(id), { ...write, body: { description: description || null } });
    },
    async remove(id) {
      await graph.send('DELETE', pathOf(id), write);
    },
  };
}

function pathOf(id: string): string {
  if (isId(id)) return `/groups/${id}`;
  throw new Failure('not_found', 'This is not an Object ID. Identify the group by its Object ID.');
}

function tooLong(): Failure {
  return invalidInput(
    [{ at: 'body.name', message: 'must be 1 to 256 characters without control characters' }],
    {
      said: 'The name of a group has 1 to 256 characters, none of them a control.',
    },
  );
}

/** At most 64 ASCII characters without the signs that addresses need. */
function nicknameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 64);
  return /[a-z0-9]/.test(plain) ? plain : 'group';
}
