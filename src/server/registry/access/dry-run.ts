import { setImmediate } from 'node:timers/promises';
import type { accessEndpoints, ScopeEffect } from '../../../contract/access.ts';
import type { Output } from '../../../contract/endpoint.ts';
import { type Ground, gained, groundsOf } from '../../access/gained.ts';
import { accessOf, clientsIn, type Grants } from '../../access/grants.ts';
import type { Scope } from '../../access/scope-set.ts';
import type { Db } from '../../db/tables.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import { readDefinition } from '../scopes/definition.ts';
import { readStored, type StoredScopes } from '../scopes/store.ts';
import type { Scopes } from '../scopes/watch.ts';
import { accountsIn, type ExplainedAccount } from './accounts.ts';
import { shownGain } from './shown-gain.ts';

/** What a dry run works with. */
export interface DryRunWorld {
  readonly db: Db;
  readonly scopes: Pick<Scopes, 'grantsOf'>;
}

type Answer = Output<(typeof accessEndpoints)['access.dryRun']>;

/** A change of one scope that is looked at: the scopes with and without it. */
interface Trial {
  readonly before: Grants;
  readonly after: Grants;
  readonly grounds: readonly Ground[];
  /** The programs of which scopes tell: what somebody gains through one of them they gain. */
  readonly clientNames: readonly string[];
}

/** How many accounts are told; all are counted. */
const toldAtMost = 500;

/** Who would gain and lose what by a change of a scope, decided by the same code as calls are. Throws as the change would. */
export async function dryRun(
  { db, scopes }: DryRunWorld,
  identity: Identity,
  {
    definition,
    remove = '',
  }: { definition?: Record<string, unknown> | undefined; remove?: string | undefined },
): Promise<Answer> {
  const stored = await readStored(db);
  const scope = definition && readDefinition(definition, 'body.definition').scope;
  const name = scope?.name ?? remove;
  const former = stored.get(name)?.scope;
  if (!scope && !former) throw new Failure('not_found', `There is no scope '${name}'.`);
  const changing = [former, scope].filter((one) => one !== undefined);
  const others = [...stored.values()].map((one) => one.scope).filter((one) => one.name !== name);
  const [before, after] = [scopes.grantsOf(stored), scopes.grantsOf(next(stored, name, scope))];
  const clientNames = [...new Set([...clientsIn(before), ...clientsIn(after)])];
  const trial = { before, after, grounds: groundsOf(changing, others), clientNames };
  const groups = holders(trial, name);
  const accounts = await effectsOnAccounts(trial, await accountsIn(db, groups));
  return {
    scope: name,
    change: !scope ? 'removed' : former ? 'replaced' : 'made',
    locks_out: accessOf({ ...identity }, before).isAdmin && !accessOf({ ...identity }, after).isAdmin,
    groups: groups.flatMap((group) => withEffect({ group }, effectOn(trial, [group]))),
    accounts: accounts.slice(0, toldAtMost),
    accounts_total: accounts.length,
  };
}

function next(stored: StoredScopes, name: string, scope: Scope | undefined): StoredScopes {
  const changed = new Map(stored);
  const former = stored.get(name);
  const fresh = { source: 'api', idpGroupId: null, createdAt: null, updatedAt: '' } as const;
  if (scope) changed.set(name, { ...(former ?? fresh), scope });
  else changed.delete(name);
  return changed;
}

/** The groups that hold the scope before or after, those of the configuration included. */
function holders({ before, after }: Trial, scope: string): string[] {
  const holding = ({ byGroup }: Grants): string[] =>
    [...byGroup].flatMap(([group, scopes]) => (scopes.some(({ name }) => name === scope) ? [group] : []));
  return [...new Set([...holding(before), ...holding(after)])];
}

async function effectsOnAccounts(
  trial: Trial,
  accounts: readonly ExplainedAccount[],
): Promise<Answer['accounts']> {
  // People with the same scopes before and after gain and lose the same.
  const known = new Map<string, ScopeEffect | undefined>();
  const told: Answer['accounts'] = [];
  for (const { groups, ...account } of accounts) {
    const { before, after, clientNames } = trial;
    const held = [before, after].map((grants) => accessOf({ groups, clientNames }, grants).scopes);
    const key = JSON.stringify(held);
    if (!known.has(key)) {
      known.set(key, effectOn(trial, groups));
      // Calls go on while this counts.
      await setImmediate();
    }
    told.push(...withEffect(account, known.get(key)));
  }
  return told;
}

function effectOn(
  { before, after, grounds, clientNames }: Trial,
  groups: readonly string[],
): ScopeEffect | undefined {
  const subject = { groups, clientNames };
  const gains = gained(subject, grounds, before, after);
  const loses = gained(subject, grounds, after, before);
  return gains || loses
    ? { gains: gains ? shownGain(gains) : null, loses: loses ? shownGain(loses) : null }
    : undefined;
}

function withEffect<T>(who: T, effect: ScopeEffect | undefined): (T & ScopeEffect)[] {
  return effect ? [{ ...who, ...effect }] : [];
}
