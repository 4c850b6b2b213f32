import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX } from 'lucide-react';
import type { api } from '../api.ts';
import { Fact } from '../controls/fact.tsx';
import { groupNames, scopesQuery } from './access-query.ts';

/** What the gateway would decide, and why. */
export type Explanation = Awaited<ReturnType<typeof api<'access.explain'>>>;

/** A decision with its reasons: the scope, the rule and the groups behind it, or what is missing. */
export function ExplainedCall({ explanation }: { explanation: Explanation }) {
  const { allow, scope, source, rule, by_groups, groups, scopes } = explanation;
  const Icon = allow ? CircleCheck : CircleX;
  return (
    <section aria-label="Decision" className="grid gap-3 border-t border-line pt-3">
      <div role="status" className="flex items-start gap-2">
        <Icon size={18} aria-hidden className={`mt-0.5 shrink-0 ${allow ? 'text-good' : 'text-bad'}`} />
        <p>
          <strong className="font-semibold">{allow ? 'Allowed' : 'Denied'}</strong>
          <span className="block">{explanation.explanation}</span>
        </p>
      </div>
      <dl className="grid gap-2">
        {scope !== null && (
          <Fact name="Scope">
            <ScopeLink name={scope} />
            {source && <span className="text-quiet"> {sourceWords[source]}</span>}
          </Fact>
        )}
        {rule && (
          <Fact name="Rule">
            <pre className="rounded-md bg-sunken p-2 font-mono text-code break-all whitespace-pre-wrap">
              {JSON.stringify(rule, null, 2)}
            </pre>
          </Fact>
        )}
        {allow && (
          <Fact name="Given by">
            <GroupNames groups={by_groups} />
          </Fact>
        )}
        <Fact name="Groups">
          <GroupNames groups={groups} />
        </Fact>
        <Fact name="Scopes">
          {scopes.length === 0 ? (
            <span className="text-quiet">None</span>
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

/** Where a scope comes from, in words. */
export const sourceWords = {
  file: 'from scopes.yml',
  built_in: 'built in',
  api: 'created in the UI or API',
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
  if (groups.length === 0) return <span className="text-quiet">None</span>;
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
