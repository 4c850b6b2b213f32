import { useQuery } from '@tanstack/react-query';
import { groupNamesQuery, type Server, type ServerScope, serverAccessQuery } from '../api.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';

/** For administrators: who may use a server, by scope, with the groups that hold it and what it allows. */
export function ServerAccess({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(serverAccessQuery(server.path));
  return (
    <section aria-label="Who may use it" className="grid min-w-0 content-start gap-2">
      <h2 className="text-lead font-semibold">Who may use it</h2>
      {isPending && <Pending rows={3} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.scopes.length === 0 && (
        <p className="text-quiet">Nobody: no scope names this server, or every server.</p>
      )}
      {data && data.scopes.length > 0 && (
        <ul aria-label="Scopes" className="rounded-lg border border-line bg-raised">
          {data.scopes.map((one) => (
            <ScopeRow key={one.scope} one={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ScopeRow({ one: { scope, source, groups, rules, permissions } }: { one: ServerScope }) {
  return (
    <li className="grid gap-x-6 gap-y-1.5 border-b border-line px-4 py-3 last:border-0 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_minmax(0,4fr)]">
      <div className="min-w-0">
        <h3 className="font-mono text-code font-semibold">{scope}</h3>
        <p className="text-meta text-quiet">
          {source === 'file' ? 'from scopes.yml' : 'made through the API'}
        </p>
      </div>
      <Groups groups={groups} />
      <div className="grid min-w-0 content-start gap-1">
        {rules.map((rule) => (
          <p key={JSON.stringify(rule)}>
            <span className="text-quiet">{rule.server === '*' ? 'On every server: ' : 'Calls: '}</span>
            {rule.methods.some(isAll) ? 'every method' : rule.methods.join(', ')}
            {allowsCalls(rule) &&
              `; ${rule.tools.some(isAll) ? 'every tool' : rule.tools.length > 0 ? `tools ${rule.tools.join(', ')}` : 'no tool'}`}
          </p>
        ))}
        {permissions.length > 0 && (
          <p>
            <span className="text-quiet">In the registry: </span>
            {permissions.join(', ')}
          </p>
        )}
      </div>
    </li>
  );
}

/** The groups by the names that the directory has for them, as far as it can be asked, and as scopes call them. */
function Groups({ groups }: { groups: readonly string[] }) {
  const { data: names } = useQuery(groupNamesQuery);
  if (groups.length === 0)
    return <p className="text-quiet">No group is mapped to this scope, so nobody holds it.</p>;
  return (
    <ul aria-label="Groups" className="grid min-w-0 content-start gap-1">
      {groups.map((group) => {
        const name = names?.get(group.toLowerCase());
        return (
          <li key={group}>
            {name !== undefined && name !== group && <span className="block">{name}</span>}
            <code className="font-mono text-code text-quiet">{group}</code>
          </li>
        );
      })}
    </ul>
  );
}

function allowsCalls({ methods }: ServerScope['rules'][number]): boolean {
  return methods.some((method) => isAll(method) || method === 'tools/call');
}

function isAll(name: string): boolean {
  return name === '*' || name === 'all';
}
