import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { buttonClass } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { Search } from '../controls/search.tsx';
import { groupNames, type ScopeList as Listed, scopesQuery } from './access-query.ts';
import { ScopeLink, sourceWords } from './explained-call.tsx';

/** Every scope: where it comes from, who holds it and which servers it names; then the groups of the directory. */
export function ScopeList() {
  const { data, error, isPending, refetch } = useQuery(scopesQuery);
  return (
    <>
      <section aria-labelledby="scopes" className="mt-8 grid gap-3">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h2 id="scopes" className="text-lead font-semibold">
            Scopes
          </h2>
          <Link to="/access/new" className={buttonClass()}>
            Make a scope
          </Link>
        </div>
        {isPending && <Pending rows={5} />}
        {error && !data && <Problem error={error} retry={() => void refetch()} />}
        {data && <Scopes list={data} />}
      </section>
      {data && <Groups list={data} />}
    </>
  );
}

function Scopes({ list }: { list: Listed }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const all = Object.entries(list.scopes_groups);
  const shown = all.filter(([name, { group_mappings, servers }]) =>
    [name, ...group_mappings, ...servers].some((one) => one.toLowerCase().includes(wanted)),
  );
  const names = groupNames(list);
  const groupWords = (group: string) => names.get(group.toLowerCase()) ?? group;
  if (all.length === 0)
    return (
      <p className="rounded-md border border-line bg-raised p-6 text-quiet">
        There is no scope yet, so nobody may do anything. Make one here or with{' '}
        <code className="font-mono text-code">mcp-gateway import-group</code>, or write it into the scope
        file.
      </p>
    );
  return (
    <>
      <Search things="scopes" placeholder="Name, group or server" value={text} onChange={setText} />
      {shown.length > 0 && (
        <ul aria-label="Scopes" className="rounded-lg border border-line bg-raised">
          {shown.map(([name, scope]) => (
            <li key={name} className="border-b border-line px-4 py-3 last:border-0">
              <p className="font-semibold">
                <ScopeLink name={name} />
                <span className="ml-2 text-meta font-normal text-quiet">
                  {sourceWords[scope.source]}
                  {!scope.editable && ', read-only here'}
                </span>
              </p>
              {scope.description && <p className="max-w-prose">{scope.description}</p>}
              <p className="text-quiet">
                Held by {scope.group_mappings.map(groupWords).join(', ') || 'no group'} · Servers:{' '}
                {scope.servers.join(', ') || 'none'}
              </p>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className="text-quiet">
        {shown.length === 0 ? 'No scope matches.' : `${shown.length} of ${all.length} scopes.`}
      </p>
    </>
  );
}

function Groups({ list }: { list: Listed }) {
  const { keycloak_groups: groups, directory, truncated } = list;
  return (
    <section aria-labelledby="groups" className="mt-8 grid gap-3">
      <h2 id="groups" className="text-lead font-semibold">
        Groups of the directory
      </h2>
      {groups.length > 0 ? (
        <ul aria-label="Groups" className="rounded-lg border border-line bg-raised">
          {groups.map(({ id, name, description, mapping, scopes }) => (
            <li key={id} className="border-b border-line px-4 py-3 last:border-0">
              <p className="font-semibold">{name}</p>
              {description && <p className="max-w-prose">{description}</p>}
              <p className="font-mono text-code break-all text-quiet">{mapping}</p>
              <div className="flex flex-wrap gap-x-3 text-quiet">
                {scopes.length === 0 ? 'Gives nothing here' : 'Gives'}
                {scopes.map((scope) => (
                  <ScopeLink key={scope} name={scope} />
                ))}
              </div>
            </li>
          ))}
        </ul>
      ) : (
        <p className="text-quiet">
          {directory === null
            ? 'No directory is set up, so its groups cannot be listed.'
            : 'The directory has no group.'}
        </p>
      )}
      {truncated && <p className="text-quiet">The directory has more groups than are shown.</p>}
    </section>
  );
}
