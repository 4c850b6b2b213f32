import type { Db } from '../../db/tables.ts';
import { resealedSettings } from '../../egress/settings.ts';
import { resealConnections } from '../../egress/store.ts';
import type { ConnectionVault } from '../../egress/vault.ts';
import type { Sealer } from '../../identity/sealer.ts';
import { resealed } from './credential.ts';
import { listServers, type ServerRow, storeResealed, storeResealedEgress } from './store.ts';

/** What a rotation came to. */
export interface Rotation {
  /** Credentials that are sealed with the present key now and were not before. */
  readonly rotated: number;
  /** Credentials that were sealed with the present key already. */
  readonly current: number;
  /** The paths of the servers whose credential no key at hand opens; they stay as they are. */
  readonly unreadable: readonly string[];
  /** Credentials of people, and of the gateway as a client, that no key at hand opens. */
  readonly lost: number;
}

/** Seals every stored credential, and those that people have at servers, with the vault's present key. It may run again: what is done is not done twice. */
export async function rotateCredentials(
  db: Db,
  vault: Sealer,
  connections: ConnectionVault,
): Promise<Rotation> {
  const [current, old]: [ServerRow[], ServerRow[]] = [[], []];
  for (const row of await listServers(db))
    if (row.credential) (row.credential.keyId === vault.keyId ? current : old).push(row);
  const unreadable: string[] = [];
  await db.transaction().execute(async (transaction) => {
    for (const row of old) {
      const credential = row.credential && resealed(vault, row.id, row.credential);
      if (credential) await storeResealed(transaction, row.id, credential);
      else unreadable.push(row.path);
    }
  });
  const arranged = (await listServers(db)).filter(
    ({ egress }) => egress?.client_secret && egress.client_secret.keyId !== connections.keyId,
  );
  for (const row of arranged) {
    const egress = row.egress && resealedSettings(connections, row.id, row.egress);
    if (egress) await storeResealedEgress(db, row.id, egress);
    else unreadable.push(row.path);
  }
  // People connect again where theirs cannot be opened.
  const people = await resealConnections(db, connections);
  const rotated = old.length + arranged.length - unreadable.length + people.rotated;
  return { rotated, current: current.length, unreadable, lost: people.unreadable };
}
