import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX } from 'lucide-react';
import type { api } from '../api.ts';
import { Fact } from '../controls/fact.tsx';
import { requestsQuery } from '../requests/requests-query.ts';
import { count, t } from '../words/words.ts';
import { groupNames, scopesQuery } from './access-query.ts';

/** What the gateway would decide, and why. */
export type Explanation = Awaited<ReturnType<typeof api<'access.explain'>>>;

/** A decision with its reasons: the scope, the rule and the groups behind it, or what is missing. */
export function ExplainedCall({
  explanation,
  server,
}: {
  explanation: Explanation;
  /** The name of the server that was asked about, without slashes at its ends. */
  server: string;
}) {
  const { allow, scope, source, rule, by_groups, groups, scopes } = explanation;
  const Icon = allow ? CircleCheck : CircleX;
  return (
    <section aria-label={t('Decision')} className="grid gap-3 border-t border-line pt-3">
      <div role="status" className="flex items-start gap-2">
        <Icon size={18} aria-hidden className={`mt-0.5 shrink-0 ${allow ? 'text-good' : 'text-bad'}`} />
        <p>
          <strong className="font-semibold">{allow ? t('Allowed') : t('Denied')}</strong>
          <span className="block">{explanation.explanation}</span>
        </p>
      </div>
      {!allow && server !== '' && <WhatToDo server={server} />}
      <dl className="grid gap-2">
        {scope !== null && !scope.startsWith('access-request:') && (
          <Fact name={t('Scope')}>
            <ScopeLink name={scope} />
            {source && <span className="text-quiet"> {sourceWords[source]}</span>}
          </Fact>
        )}
        {rule && (
          <Fact name={t('Rule')}>
            <pre className="rounded-md bg-sunken p-2 font-mono text-code break-all whitespace-pre-wrap">
              {JSON.stringify(rule, null, 2)}
            </pre>
          </Fact>
        )}
        {allow && by_groups.length > 0 && (
          <Fact name={t('Given by')}>
            <GroupNames groups={by_groups} />
          </Fact>
        )}
        <Fact name={t('Groups')}>
          <GroupNames groups={groups} />
        </Fact>
        <Fact name={t('Scopes')}>
          {scopes.length === 0 ? (
            <span className="text-quiet">{t('None')}</span>
          ) : (
            <ul className="flex flex-wrap gap-x-3">
              {scopes.map((name) => (
                <li key={name}>
                  <ScopeLink name={name} />
                </li>
              ))}
            </ul>
          )}
        </Fact>
      </dl>
    </section>
  );
}

/** From a denial to what changes it: requests for that server that wait, and access given by groups. */
function WhatToDo({ server }: { server: string }) {
  const { data } = useQuery(requestsQuery('decide', { status: 'pending', path: `/${server}` }));
  const waiting = data?.total_count ?? 0;
  return (
    <p className="flex flex-wrap gap-x-4 gap-y-1 pl-6.5">
      <Link
        to="/servers/$"
        params={{ _splat: server }}
        search={{ tab: 'access' }}
        className="rounded-sm underline underline-offset-4"
      >
        {t('Give access to {name}', { name: server })}
      </Link>
      {waiting > 0 && (
        <Link to="/requests" search={{ tab: 'waiting' }} className="rounded-sm underline underline-offset-4">
          {count(waiting, '{n} request for it waits', '{n} requests for it wait')}
        </Link>
      )}
    </p>
  );
}

/** Where a scope comes from, in words. */
export const sourceWords = {
  file: t('from scopes.yml'),
  built_in: t('built in'),
  api: t('created in the UI or API'),
} as const;

/** A scope's name that leads to its page. */
export function ScopeLink({ name }: { name: string }) {
  return (
    <Link
      to="/access/scopes/$"
      params={{ _splat: name }}
      className="break-words underline underline-offset-4"
    >
      {name}
    </Link>
  );
}

/** Groups by the names that the directory has for them, with their ids on demand. */
export function GroupNames({ groups }: { groups: readonly string[] }) {
  const { data: scopes } = useQuery(scopesQuery);
  const names = groupNames(scopes);
  if (groups.length === 0) return <span className="text-quiet">{t('None')}</span>;
  return (
    <ul className="flex flex-wrap gap-x-3">
      {groups.map((group) => {
        const name = names.get(group.toLowerCase());
        return (
          <li key={group} title={group} className={name === undefined ? 'font-mono text-code break-all' : ''}>
            {name ?? group}
          </li>
        );
      })}
    </ul>
  );
}
