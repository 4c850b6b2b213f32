import { jsonOf, type Reply } from '../../exchange.ts';
import type { Application, DirectoryObject, ServicePrincipal } from '../../tenant/model.ts';
import { join, separate, targets } from '../../tenant/relation.ts';
import { type Call, find, noContent, type Operation } from '../call.ts';
import { referencedId } from '../change.ts';
import { badRequest, notFound } from '../failure.ts';
import { addKey, addPassword, removeKey, removePassword } from './credentials.ts';
import { showObjects } from './membership.ts';

type Owned = Application | ServicePrincipal;

/** How objects of one kind are found, and which permissions reading and changing them takes. */
interface OwnedKind {
  /** The path of one, such as `/applications/{application}`. */
  readonly one: string;
  readonly read: Pick<Operation, 'delegated' | 'application'>;
  readonly write: Pick<Operation, 'delegated' | 'application'>;
  /** The object that the path names. Throws a GraphFailure 404. */
  target(call: Call): Owned;
  /** The same, if the caller may change it. Throws a GraphFailure 404 or 403. */
  managed(call: Call): Owned;
}

/** The operations that applications and service principals have alike: their secrets, their keys and their owners. */
export function ownedOperations({ one, read, write, target, managed }: OwnedKind): readonly Operation[] {
  const credentials = { addPassword, removePassword, addKey, removeKey };
  return [
    ...Object.entries(credentials).map(
      ([name, change]): Operation => ({
        method: 'POST',
        path: `${one}/${name}`,
        ...write,
        run: (call) => change(call, managed(call)),
      }),
    ),
    {
      method: 'GET',
      path: `${one}/owners`,
      ...read,
      run: (call) => showObjects(call, ownersOf(call, target(call))),
    },
    {
      method: 'POST',
      path: `${one}/owners/$ref`,
      ...write,
      run: (call) => addOwner(call, managed(call)),
    },
    {
      method: 'DELETE',
      path: `${one}/owners/{owner}/$ref`,
      ...write,
      run: (call) => removeOwner(call, managed(call)),
    },
  ];
}

/** The objects that own this one. */
export function ownersOf({ tenant }: Call, { id }: { id: string }): DirectoryObject[] {
  return [...targets(tenant.owners, id)].flatMap((owner) => tenant.objects.get(owner) ?? []);
}

/** Makes the caller, a person or an application, the owner of what it has just created. */
export function ownedByCaller({ tenant, caller }: Call, { id }: Owned): void {
  const owner = caller.user?.id ?? caller.principal?.id;
  if (owner) join(tenant.owners, id, owner);
}

function addOwner(call: Call, { id }: Owned): Reply {
  const owner = find(call, call.tenant.objects, referencedId(jsonOf(call.ask)?.['@odata.id']));
  if (!join(call.tenant.owners, id, owner.id))
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'owners'.",
    );
  return noContent();
}

function removeOwner(call: Call, { id }: Owned): Reply {
  const owner = call.names.owner ?? '';
  if (!separate(call.tenant.owners, id, owner)) throw notFound(owner);
  return noContent();
}
