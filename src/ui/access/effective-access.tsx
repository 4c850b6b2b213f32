import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ScopeLink, sourceWords } from './explained-call.tsx';
import { GainTable } from './gain-table.tsx';
import { subjectOf, WhoFields } from './who-fields.tsx';

type Answer = Awaited<ReturnType<typeof api<'access.effective'>>>;

/** Asks for everything that somebody may do, and shows it with the scopes that give it. */
export function EffectiveAccess() {
  const [asked, setAsked] = useState({ by: 'username', who: '' });
  const show = useMutation({
    mutationFn: (who: typeof asked): Promise<Answer> => api('access.effective', { body: subjectOf(who) }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!show.isPending) show.mutate(asked);
  };
  return (
    <section aria-labelledby="effective" className="grid gap-3 rounded-lg border border-line bg-raised p-4">
      <h2 id="effective" className="text-lead font-semibold">
        {t('What can a person or group do?')}
      </h2>
      <form onSubmit={submit} className="grid items-start gap-3 sm:grid-cols-2">
        <WhoFields
          asked={asked}
          change={(changed) => {
            setAsked({ ...asked, ...changed });
            show.reset();
          }}
        />
        <div className="sm:col-span-2">
          <Button type="submit" busy={show.isPending}>
            {t('Show')}
          </Button>
        </div>
      </form>
      {show.error && <Problem error={show.error} />}
      <div role="status">{show.data && <Shown answer={show.data} />}</div>
    </section>
  );
}

function Shown({ answer: { scopes, is_admin: isAdmin, access } }: { answer: Answer }) {
  return (
    <section aria-label={t('Access')} className="grid gap-3 border-t border-line pt-3">
      {isAdmin && <p className="font-semibold">{t('Administrator of the registry')}</p>}
      {scopes.length === 0 ? (
        <p>{t('None of these groups has a scope, so nothing is allowed.')}</p>
      ) : (
        <>
          <GainTable gain={access} caption={t('Calls that are allowed')} />
          <p className="text-meta font-semibold text-quiet">{t('Given by')}</p>
          <ul aria-label={t('Scopes that give it')}>
            {scopes.map(({ scope, source, by_groups: groups }) => (
              <li key={scope}>
                {source === 'request' ? (
                  <span className="text-quiet">{t('Granted on request')}</span>
                ) : (
                  <>
                    <ScopeLink name={scope} />{' '}
                    <span className="text-quiet">
                      {t('{source}, assigned to', { source: sourceWords[source] })}
                    </span>
                    <span className="font-mono text-code break-all">{groups.join(', ')}</span>
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
