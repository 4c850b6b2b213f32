import { useQuery } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { faultAt, type RuleDraft, type ScopeFaults } from '../access/scope-draft.ts';
import { serversQuery, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { NamesField, type Suggestion } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { t } from '../words/words.ts';

const methods: readonly Suggestion[] = [
  { value: 'all', words: t('Every method') },
  ...['initialize', 'ping', 'tools/list', 'tools/call', 'prompts/list', 'prompts/get'].map(offer),
  ...['resources/list', 'resources/templates/list', 'resources/read', 'resources/subscribe'].map(offer),
  ...['completion/complete', 'logging/setLevel'].map(offer),
];

function offer(value: string): Suggestion {
  return { value };
}

const firstRule: RuleDraft = {
  ...{ server: '', methods: ['initialize', 'ping', 'tools/list', 'tools/call'], tools: ['all'] },
};

/** The rules of a scope for servers: which methods on which server, and which tools. */
export function RuleFields({
  rules,
  onChange,
  faults,
}: {
  rules: readonly RuleDraft[];
  onChange: (rules: readonly RuleDraft[]) => void;
  faults: ScopeFaults;
}) {
  // Rules after one that goes get other places, and their fields must not keep what was written for the old ones.
  const [gone, setGone] = useState(0);
  return (
    <section aria-labelledby="rules" className="grid gap-3">
      <div>
        <h2 id="rules" className="text-lead font-semibold">
          {t('Calls to servers')}
        </h2>
        <p className="text-quiet">{t('Anything that no rule allows is denied.')}</p>
      </div>
      {rules.map((rule, at) => (
        <Rule
          // biome-ignore lint/suspicious/noArrayIndexKey: rules have no name of their own, and all begin anew when one goes
          key={`${gone} ${at}`}
          number={at + 1}
          rule={rule}
          place={`server_access.${at}`}
          faults={faults}
          onChange={(changed) => onChange(rules.with(at, changed))}
          onRemove={() => {
            setGone(gone + 1);
            onChange(rules.toSpliced(at, 1));
          }}
        />
      ))}
      <div>
        <Button onClick={() => onChange([...rules, firstRule])}>
          <Plus size={14} aria-hidden /> {t('Add a rule')}
        </Button>
      </div>
    </section>
  );
}

function Rule({
  number,
  rule,
  place,
  faults,
  onChange,
  onRemove,
}: {
  number: number;
  rule: RuleDraft;
  place: string;
  faults: ScopeFaults;
  onChange: (rule: RuleDraft) => void;
  onRemove: () => void;
}) {
  const { data: servers } = useQuery(serversQuery);
  const server = servers?.servers.find(({ path }) => nameOf(path) === nameOf(rule.server));
  const { data: listed } = useQuery({ ...toolsQuery(server?.path ?? ''), enabled: server !== undefined });
  const tools = (listed?.tools ?? []).map(({ name }) => ({ value: name }));
  const about = (...names: string[]) =>
    rule.methods.some((method) => method === 'all' || method === '*' || names.includes(method));
  const at = (member: string) => faultAt(faults, `${place}.${member}`);
  const whole = faults.find((fault) => fault.at === place)?.message;
  return (
    <fieldset className="grid gap-3 rounded-lg border border-line bg-raised p-4">
      <legend className="sr-only">{t('Rule {number}', { number })}</legend>
      <div className="flex items-start gap-3">
        <div className="grow">
          <TextField
            label={t('Server')}
            value={rule.server}
            offers={[
              ...(servers?.servers ?? []).map((one) => ({ value: nameOf(one.path), words: one.server_name })),
              { value: '*', words: t('Every server') },
            ]}
            hint={unknownWords(rule.server, servers !== undefined && server === undefined)}
            fault={at('server') ?? whole}
            onChange={(text) => onChange({ ...rule, server: text })}
          />
        </div>
        <Button
          look="quiet"
          className="mt-6.5"
          onClick={onRemove}
          aria-label={t('Remove rule {number}', { number })}
        >
          <Trash2 size={14} aria-hidden />
        </Button>
      </div>
      <NamesField
        label={t('Methods')}
        names={rule.methods}
        suggestions={methods}
        fault={at('methods')}
        onChange={(names) => onChange({ ...rule, methods: names })}
      />
      {(about('tools/call') || rule.tools.length > 0) && (
        <NamesField
          label={t('Tools')}
          names={rule.tools}
          suggestions={[{ value: 'all', words: t('Every tool') }, ...tools]}
          hint={t('What may be called, and what lists show.')}
          fault={at('tools')}
          onChange={(names) => onChange({ ...rule, tools: names })}
        />
      )}
      {(about('prompts/get', 'prompts/list') || rule.prompts) && (
        <NamesField
          label={t('Prompts')}
          names={rule.prompts ?? []}
          hint={t('With none, every prompt.')}
          fault={at('prompts')}
          onChange={(names) => onChange(narrowed(rule, 'prompts', names))}
        />
      )}
      {(about('resources/read', 'resources/list', 'resources/subscribe') || rule.resources) && (
        <NamesField
          label={t('Resources')}
          names={rule.resources ?? []}
          hint={t('URIs, and beginnings such as file:///docs/*. With none, every resource.')}
          fault={at('resources')}
          onChange={(names) => onChange(narrowed(rule, 'resources', names))}
        />
      )}
    </fieldset>
  );
}

/** The rule with its prompts or resources narrowed to those; with none it narrows nothing. */
function narrowed(rule: RuleDraft, member: 'prompts' | 'resources', names: readonly string[]): RuleDraft {
  const { [member]: _, ...rest } = rule;
  return names.length === 0 ? rest : { ...rest, [member]: names };
}

function nameOf(path: string): string {
  return path.trim().replace(/^\/+|\/+$/g, '');
}

function unknownWords(server: string, isUnknown: boolean): string {
  return isUnknown && server.trim() !== '' && server.trim() !== '*'
    ? t('No server of that path is registered.')
    : '';
}
