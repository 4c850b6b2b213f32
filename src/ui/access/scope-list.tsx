import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { count, parts, t } from '../words/words.ts';
import { groupNames, type ScopeList as Listed, scopesQuery } from './access-query.ts';
import { ScopeLink, sourceWords } from './explained-call.tsx';

/** How many groups are listed before the rest is asked for. */
const firstGroups = 50;

/** Every scope: where it comes from, which groups it is assigned to and which servers it names. */
export function ScopeList() {
  const { data, error, isPending, refetch } = useQuery(scopesQuery);
  return (
    <section aria-label={t('Scopes')} className="grid gap-3">
      {isPending && <Pending rows={5} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <Scopes list={data} />}
    </section>
  );
}

/** The groups of the directory, with the scopes that their members get. */
export function DirectoryGroups() {
  const { data, error, isPending, refetch } = useQuery(scopesQuery);
  return (
    <section aria-label={t('Groups of the directory')} className="grid gap-3">
      {isPending && <Pending rows={5} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <Groups list={data} />}
    </section>
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
      <Empty>
        <p className="max-w-prose text-quiet">
          {parts(
            'There is no scope yet, so no one can do anything. Create one here, or with {code}, or write it into the scope file.',
            { code: <code className="font-mono text-code">mcp-gateway scope import</code> },
          )}
        </p>
      </Empty>
    );
  return (
    <>
      <Search things={t('scopes')} placeholder={t('Name, group or server')} value={text} onChange={setText} />
      {shown.length > 0 && (
        <ul aria-label={t('Scopes')} className="rounded-lg border border-line bg-raised">
          {shown.map(([name, scope]) => (
            <li key={name} className="border-b border-line px-4 py-3 last:border-0">
              <p className="font-semibold">
                <ScopeLink name={name} />
                <span className="ml-2 text-meta font-normal text-quiet">
                  {sourceWords[scope.source]}
                  {!scope.editable && `, ${t('read-only here')}`}
                </span>
              </p>
              {scope.description && <p className="max-w-prose">{scope.description}</p>}
              <p className="text-quiet">
                {t('Assigned to {groups} · Servers: {servers}', {
                  groups: scope.group_mappings.map(groupWords).join(', ') || t('no group'),
                  servers:
                    scope.servers.map((server) => (server === '*' ? t('All') : server)).join(', ') ||
                    t('none'),
                })}
              </p>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className="text-quiet">
        {shown.length === 0
          ? t('No scope matches.')
          : t('{n} of {total} scopes.', { n: shown.length, total: all.length })}
      </p>
    </>
  );
}

function Groups({ list }: { list: Listed }) {
  const { keycloak_groups: groups, directory, directory_fault: fault, truncated } = list;
  const [text, setText] = useState('');
  const [all, setAll] = useState(false);
  const shown = groups.filter(({ name, description, mapping, scopes }) =>
    mentions(text, [name, description ?? '', mapping, ...scopes], []),
  );
  if (groups.length === 0)
    return (
      <Empty>
        <p className="max-w-prose text-quiet">
          {fault !== null && t('The groups of the directory cannot be shown: {fault}', { fault })}
          {fault === null && directory === null
            ? t('No directory is set up, so its groups cannot be listed.')
            : fault === null && t('The directory has no group.')}
        </p>
      </Empty>
    );
  return (
    <>
      <Search things={t('groups')} placeholder={t('Name, id or scope')} value={text} onChange={setText} />
      {shown.length > 0 && (
        <ul aria-label={t('Groups')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {shown.slice(0, all ? undefined : firstGroups).map(({ id, name, description, mapping, scopes }) => (
            <li
              key={id}
              className="grid gap-x-6 gap-y-1 border-b border-line px-4 py-2.5 last:border-0 lg:grid-cols-2"
            >
              <div className="min-w-0">
                {mapping === name ? (
                  <p className="font-semibold">{name}</p>
                ) : (
                  <details>
                    <summary className="w-fit rounded-sm" title={mapping}>
                      <span className="font-semibold">{name}</span>{' '}
                      <span className="text-meta text-quiet underline underline-offset-4">{t('Id')}</span>
                    </summary>
                    <CopyText text={mapping} label={t('Copy the id of {name}', { name })} />
                  </details>
                )}
                {description && <p className="max-w-prose text-quiet">{description}</p>}
              </div>
              <div className="flex flex-wrap content-start gap-x-3 text-quiet">
                {scopes.length === 0 ? t('No scope') : t('Scopes:')}
                {scopes.map((scope) => (
                  <ScopeLink key={scope} name={scope} />
                ))}
              </div>
            </li>
          ))}
        </ul>
      )}
      <p role="status" className="text-quiet">
        {shown.length === 0 ? t('No group matches.') : count(shown.length, '{n} group', '{n} groups')}
        {truncated && ` ${t('The directory has more groups than are shown.')}`}
      </p>
      {!all && shown.length > firstGroups && (
        <div>
          <Button onClick={() => setAll(true)}>{t('Show all')}</Button>
        </div>
      )}
    </>
  );
}
