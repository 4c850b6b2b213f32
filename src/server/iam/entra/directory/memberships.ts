import { z } from 'zod';
import { Failure } from '../../../failure/errors.ts';
import type { Graph } from '../../../provider/graph.ts';
import type { BatchAnswer } from '../../../provider/graph-batch.ts';
import { GraphFailure } from '../../../provider/graph-failure.ts';
import { ifThere } from '../../../provider/not-there.ts';
import type { DirectoryGroup, Memberships } from '../../directory.ts';
import { type Patience, repeated, settled } from '../settled.ts';
import { graphGroup, groupFields, groupOf } from './groups.ts';

/** Users whose groups are asked for in one round trip, and round trips at a time. */
const [batchSize, atATime] = [20, 4];

const member = z.looseObject({
  '@odata.type': z.string().optional(),
  id: z.string(),
  accountEnabled: z.boolean().nullish(),
});
const typed = z.looseObject({ '@odata.type': z.string().optional() });
const batched = z.object({ value: z.array(typed), '@odata.nextLink': z.string().optional() });

const readUsers = { permission: 'User.Read.All' };
const readMembers = { permission: 'GroupMember.Read.All' };

/** Who is in which security group of a tenant; members are added and removed directly. */
export function entraMemberships(
  world: { readonly graph: Graph } & Patience,
): Memberships & Required<Memberships> {
  const { graph } = world;
  return {
    async ofUsers(ids) {
      const found: (readonly DirectoryGroup[] | undefined)[] = new Array(ids.length);
      let at = 0;
      const work = async (): Promise<void> => {
        for (let start = at; start < ids.length; start = at) {
          at = start + batchSize;
          const groups = await groupsOf(graph, ids.slice(start, start + batchSize));
          for (const [index, one] of groups.entries()) found[start + index] = one;
        }
      };
      await Promise.all(Array.from({ length: atATime }, work));
      return found;
    },
    ofServiceAccount: (principalId) =>
      listGroups(graph, `/servicePrincipals/${encodeURIComponent(principalId)}`, 'Application.Read.All'),
    people: (groupId, limit) => peopleIn(graph, groupId, limit),
    add: (groupId, memberId) => addMember(world, groupId, memberId),
    remove: (groupId, memberId) =>
      ifThere(() =>
        graph.send('DELETE', `${groupPath(groupId)}/members/${encodeURIComponent(memberId)}/$ref`, {
          permission: 'GroupMember.ReadWrite.All',
        }),
      ),
  };
}

async function groupsOf(graph: Graph, ids: readonly string[]) {
  const paths = ids.map((id) => `/users/${encodeURIComponent(id)}`);
  const asked = paths.map((path) => ({ path: `${path}/memberOf?$select=${groupFields}&$top=999` }));
  const answers = await graph.batch(asked);
  return Promise.all(answers.map((answer, index) => readAnswer(graph, answer, paths[index] ?? '')));
}

async function readAnswer(
  graph: Graph,
  { status, body }: BatchAnswer,
  path: string,
): Promise<readonly DirectoryGroup[] | undefined> {
  const page = batched.safeParse(body);
  if (status !== 200 || !page.success) return undefined;
  if (page.data['@odata.nextLink']) return listGroups(graph, path, readUsers.permission);
  return groupsAmong(page.data.value);
}

async function listGroups(graph: Graph, path: string, permission: string): Promise<DirectoryGroup[]> {
  const query = { $select: groupFields, $top: '999' };
  return groupsAmong(await graph.list(`${path}/memberOf`, typed, { permission, query }));
}

/** Directory roles and administrative units are containers too. */
function groupsAmong(containers: readonly z.output<typeof typed>[]): DirectoryGroup[] {
  return containers.flatMap((one) => {
    const read = one['@odata.type'] === '#microsoft.graph.group' ? graphGroup.safeParse(one) : undefined;
    return (read?.success && groupOf(read.data)) || [];
  });
}

/** Page by page until there are enough; not by a cast to users, which an index that lags behind would answer. */
async function peopleIn(graph: Graph, groupId: string, limit: number): Promise<string[]> {
  const people: string[] = [];
  const query = { $select: 'id,accountEnabled', $top: '999' };
  let from: string | null = null;
  do {
    const page: { items: z.output<typeof member>[]; next: string | null } = await graph.page(
      `${groupPath(groupId)}/transitiveMembers`,
      member,
      { ...readMembers, query, from },
    );
    for (const one of page.items)
      if (one['@odata.type'] === '#microsoft.graph.user' && one.accountEnabled === true) people.push(one.id);
    from = page.next;
  } while (from !== null && people.length < limit);
  return people.slice(0, limit);
}

async function addMember(
  world: { readonly graph: Graph } & Patience,
  groupId: string,
  memberId: string,
): Promise<boolean> {
  const { graph } = world;
  const path = groupPath(groupId);
  const body = { '@odata.id': `${graph.baseUrl}/directoryObjects/${memberId}` };
  const permission = 'GroupMember.ReadWrite.All';
  const send = () => graph.send('POST', `${path}/members/$ref`, { body, permission });
  // A second time it is refused as being there already, so it is safe to send again.
  const add = () => repeated(world, send);
  try {
    await add().catch(async (error: unknown) => {
      if (!(error instanceof GraphFailure) || error.graph.status !== 404) throw error;
      // The member may only not be known everywhere yet; a group that is gone stays gone.
      const group = await graph.find(path, graphGroup, readMembers);
      if (!group) throw new Failure('not_found', `The directory has no group ${groupId} any more.`);
      await settled(world, add);
    });
    return true;
  } catch (error) {
    if (isMemberAlready(error)) return false;
    throw error;
  }
}

/** Graph has no code of its own for this refusal: its words are all there is, and any other 400 is a real refusal. */
function isMemberAlready(error: unknown): boolean {
  return (
    error instanceof GraphFailure &&
    error.graph.status === 400 &&
    error.message.includes('added object references already exist')
  );
}

function groupPath(id: string): string {
  return `/groups/${encodeURIComponent(id)}`;
}
