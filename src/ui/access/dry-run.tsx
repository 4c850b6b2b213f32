import { useMutation, useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import type { z } from 'zod';
import type { ScopeEffect } from '../../contract/access.ts';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Problem } from '../controls/problem.tsx';
import { count, t } from '../words/words.ts';
import { groupNames, scopesQuery } from './access-query.ts';
import { GainTable } from './gain-table.tsx';

/** A change of a scope that is asked about: as it would be, or that it would go. */
export type Rehearsed =
  | { readonly definition: Record<string, z.core.util.JSONType> }
  | { readonly remove: string };

type Answer = Awaited<ReturnType<typeof api<'access.dryRun'>>>;

/** Asks what a change of a scope would do, changing nothing. */
export function useDryRun() {
  return useMutation({ mutationFn: (body: Rehearsed): Promise<Answer> => api('access.dryRun', { body }) });
}

/** Who would gain and lose what, with a button that asks. */
export function DryRun({ run, ask }: { run: ReturnType<typeof useDryRun>; ask: () => void }) {
  return (
    <section aria-label={t('Effect')} className="grid gap-3">
      <div>
        <Button busy={run.isPending} onClick={ask}>
          {t('Who gains and loses what?')}
        </Button>
      </div>
      {run.error && <Problem error={run.error} />}
      <div role="status" className="grid gap-3">
        {run.data && <DryRunEffects answer={run.data} />}
      </div>
    </section>
  );
}

/** Who would gain and lose what, in words and tables. */
export function DryRunEffects({ answer }: { answer: Answer }) {
  const { data: scopes } = useQuery(scopesQuery);
  const known = groupNames(scopes);
  const { groups, accounts, accounts_total: total, locks_out: locksOut } = answer;
  return (
    <>
      {locksOut && (
        <p className="flex gap-2 rounded-md border border-bad bg-bad-soft p-3">
          <TriangleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />
          {t('You would no longer be an administrator, so the gateway would refuse this.')}
        </p>
      )}
      {groups.length === 0 ? (
        <p className="text-quiet">{t('No one gains or loses anything.')}</p>
      ) : (
        <p className="font-semibold">
          {count(groups.length, 'For one group', 'For {n} groups')},{' '}
          {count(total, 'and one account that has signed in', 'and {n} accounts that have signed in')}
        </p>
      )}
      {groups.map(({ group, ...effect }) => (
        <Effect
          key={`g ${group}`}
          who={known.get(group.toLowerCase()) ?? group}
          kind={t('Members of')}
          effect={effect}
        />
      ))}
      {accounts.map(({ kind, provider, name, ...effect }) => (
        <Effect
          key={`${kind} ${provider} ${name}`}
          who={name}
          kind={kind === 'person' ? t('Person') : t('Application')}
          effect={effect}
        />
      ))}
      {total > accounts.length && (
        <p className="text-quiet">
          {count(
            total - accounts.length,
            '{n} more account is not shown. Its groups are above.',
            '{n} more accounts are not shown. Their groups are above.',
          )}
        </p>
      )}
    </>
  );
}

function Effect({ who, kind, effect }: { who: string; kind: string; effect: ScopeEffect }) {
  const { gains, loses } = effect;
  return (
    <details open={kind === 'Members of'} className="rounded-lg border border-line bg-raised p-3">
      <summary>
        <span className="text-quiet">{kind}</span> <span className="font-semibold break-all">{who}</span>:{' '}
        {[gains && 'gains', loses && 'loses'].filter(Boolean).join(' and ')}
      </summary>
      <div className="mt-3 grid gap-3">
        {gains && (
          <div className="border-l-2 border-good pl-3">
            <p className="text-meta font-semibold text-good">{t('Gains')}</p>
            <GainTable gain={gains} caption={t('What {who} gains', { who })} />
          </div>
        )}
        {loses && (
          <div className="border-l-2 border-bad pl-3">
            <p className="text-meta font-semibold text-bad">{t('Loses')}</p>
            <GainTable gain={loses} caption={t('What {who} loses', { who })} />
          </div>
        )}
      </div>
    </details>
  );
}
