import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX } from 'lucide-react';
import type { api } from '../api.ts';
import { Fact } from '../controls/fact.tsx';

/** What the gateway would decide, and why. */
export type Explanation = Awaited<ReturnType<typeof api<'access.explain'>>>;

/** A decision with its reasons: the scope, the rule and the groups behind it, or what is missing. */
export function ExplainedCall({ explanation }: { explanation: Explanation }) {
  const { allow, reason, scope, source, rule, by_groups, groups, scopes } = explanation;
  const Icon = allow ? CircleCheck : CircleX;
  return (
    <section aria-label="Decision" className="grid gap-3 border-t border-line pt-3">
      <div role="status" className="flex items-start gap-2">
        <Icon size={18} aria-hidden className={`mt-0.5 shrink-0 ${allow ? 'text-good' : 'text-bad'}`} />
        <p>
          <strong className="font-semibold">{allow ? 'Allowed' : 'Refused'}</strong>
          {reason && <span className="font-mono text-code text-quiet"> {reason}</span>}
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
        {allow && <Fact name="Given by">{namesOf(by_groups)}</Fact>}
        <Fact name="Groups">{namesOf(groups)}</Fact>
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
export const sourceWords = { file: 'of the scope file', api: 'of the API' } as const;

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

function namesOf(names: readonly string[]) {
  if (names.length === 0) return <span className="text-quiet">None</span>;
  return <span className="font-mono text-code break-all">{names.join(', ')}</span>;
}
