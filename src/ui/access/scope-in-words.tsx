import type { ReactNode } from 'react';
import { t } from '../words/words.ts';
import type { ScopeInFull } from './access-query.ts';
import { permissionWords } from './permission-words.ts';
import { draftOfDefinition, type RuleDraft, type ScopeDraft } from './scope-draft.ts';
import { definitionText } from './scope-text.ts';

/** What a scope allows, rule by rule; nothing where it has more than can be put in words here. */
export function ScopeInWords({ scope }: { scope: ScopeInFull }) {
  const draft = readable(scope);
  if (!draft) return null;
  const { rules, permissions, actions, agent_access: agents, clients } = draft;
  return (
    <section aria-labelledby="allows" className="grid gap-3">
      <h2 id="allows" className="text-lead font-semibold">
        {t('What it allows')}
      </h2>
      <div className="grid gap-5 rounded-lg border border-line bg-raised p-4">
        <Group title={t('Calls to servers')} none={t('It allows no call to a server.')}>
          {rules.map((rule, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rules have no name, and two may be the same
            <Line key={at} name={serverWords(rule.server)}>
              {ruleWords(rule)}
            </Line>
          ))}
        </Group>
        <Group title={t('In the registry')} none={t('It gives no permission in the registry.')}>
          {permissions.map(({ name, on }) => (
            <Line key={name} name={permissionWords(name)}>
              {namesWords(on)} <code className="font-mono text-meta text-quiet">{name}</code>
            </Line>
          ))}
        </Group>
        {actions.length + agents.length > 0 && (
          <Group title={t('Agents')} none="">
            {actions.map(({ name, on }) => (
              <Line key={name} name={permissionWords(name)}>
                {namesWords(on)}
              </Line>
            ))}
            {agents.length > 0 && <Line name={t('Other agents that are visible')}>{namesWords(agents)}</Line>}
          </Group>
        )}
        {clients && (
          <p>
            {t('Only from these programs')}: {clients.join(', ')}
          </p>
        )}
      </div>
    </section>
  );
}

function Group({
  title,
  none,
  children,
}: {
  title: string;
  none: string;
  children: ReactNode[] | ReactNode;
}) {
  const isEmpty = Array.isArray(children) && children.length === 0;
  return (
    <section aria-label={title} className="grid gap-2">
      <h3 className="font-semibold">{title}</h3>
      {isEmpty ? <p className="text-quiet">{none}</p> : <dl className="grid gap-2">{children}</dl>}
    </section>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid min-w-0 gap-x-4 sm:grid-cols-[14rem_minmax(0,1fr)]">
      <dt className="text-quiet">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

function readable(scope: ScopeInFull): ScopeDraft | undefined {
  try {
    return draftOfDefinition(JSON.parse(definitionText(scope)));
  } catch {
    return undefined;
  }
}

function ruleWords({ methods, tools, prompts, resources }: RuleDraft): string {
  const calls = methods.some((one) => isEvery(one) || one === 'tools/call');
  const named = (words: string, names: readonly string[]) =>
    t('{kind}: {names}', { kind: words, names: names.length === 0 ? t('none') : namesWords(names) });
  return [
    named(t('Methods'), methods),
    ...(calls ? [named(t('Tools'), tools)] : []),
    ...(prompts ? [named(t('Prompts'), prompts)] : []),
    ...(resources ? [named(t('Resources'), resources)] : []),
  ].join(' · ');
}

function serverWords(server: string): string {
  return isEvery(server) ? t('Every server') : server;
}

function namesWords(names: readonly string[]): string {
  return names.some(isEvery) ? t('All') : names.join(', ');
}

function isEvery(name: string): boolean {
  return name === '*' || name === 'all';
}
