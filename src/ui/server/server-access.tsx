import { useQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { GroupNames, ScopeLink, sourceWords } from '../access/explained-call.tsx';
import { permissionWords } from '../access/permission-words.ts';
import { type Server, type ServerScope, serverAccessQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { GiveAccess } from './give-access.tsx';

/** For administrators: who may use a server, by scope, with the groups that hold it and what it allows. */
export function ServerAccess({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(serverAccessQuery(server.path));
  const [giving, setGiving] = useState(false);
  return (
    <section aria-label={t('Who can use it')} className="grid min-w-0 content-start gap-2">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-lead font-semibold">{t('Who can use it')}</h2>
        <Button look="primary" onClick={() => setGiving(true)}>
          <UserPlus size={15} aria-hidden />
          {t('Give access')}
        </Button>
      </div>
      {isPending && <Pending rows={3} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.scopes.length === 0 && (
        <p className="text-quiet">{t('No one: no scope names this server, or every server.')}</p>
      )}
      {data && data.scopes.length > 0 && (
        <ul aria-label={t('Scopes')} className="rounded-lg border border-line bg-raised">
          {data.scopes.map((one) => (
            <ScopeRow key={one.scope} one={one} />
          ))}
        </ul>
      )}
      {giving && <GiveAccess server={server} onClose={() => setGiving(false)} />}
    </section>
  );
}

function ScopeRow({ one: { scope, source, groups, rules, permissions } }: { one: ServerScope }) {
  return (
    <li className="grid gap-x-6 gap-y-1.5 border-b border-line px-4 py-3 last:border-0 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_minmax(0,4fr)]">
      <div className="min-w-0">
        <h3 className="font-semibold">
          <ScopeLink name={scope} />
        </h3>
        <p className="text-meta text-quiet">{sourceWords[source]}</p>
      </div>
      <Groups groups={groups} />
      <div className="grid min-w-0 content-start gap-1">
        {rules.map((rule) => (
          <p key={JSON.stringify(rule)}>
            <span className="text-quiet">{rule.server === '*' ? t('On every server:') : t('Calls:')} </span>
            {rule.methods.some(isAll) ? t('every method') : rule.methods.join(', ')}
            {allowsCalls(rule) &&
              `; ${rule.tools.some(isAll) ? t('every tool') : rule.tools.length > 0 ? t('tools {tools}', { tools: rule.tools.join(', ') }) : t('no tool')}`}
          </p>
        ))}
        {permissions.length > 0 && (
          <p>
            <span className="text-quiet">{t('In the registry:')} </span>
            <span title={permissions.join(', ')}>{permissions.map(permissionWords).join(', ')}</span>
          </p>
        )}
      </div>
    </li>
  );
}

function Groups({ groups }: { groups: readonly string[] }) {
  return groups.length === 0 ? (
    <p className="text-quiet">{t('This scope is not assigned to any group, so no one has it.')}</p>
  ) : (
    <GroupNames groups={groups} />
  );
}

function allowsCalls({ methods }: ServerScope['rules'][number]): boolean {
  return methods.some((method) => isAll(method) || method === 'tools/call');
}

function isAll(name: string): boolean {
  return name === '*' || name === 'all';
}
