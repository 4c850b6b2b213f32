import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { choicesLeft, type GrantDraft } from '../access/scope-draft.ts';
import { Button } from '../controls/button.tsx';
import { NamesField, type Suggestion } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { t } from '../words/words.ts';

/** Rows of a name that is chosen, and what it holds for: permissions in the registry, or actions on agents. */
export function GrantFields({
  title,
  about,
  row,
  add,
  wordsOf,
  choices,
  grants,
  onChange,
  offersFor,
  faultOf,
}: {
  title: string;
  about: string;
  /** What a row is called. */
  row: string;
  /** The words of the button that adds one. */
  add: string;
  /** What a choice lets one do. */
  wordsOf: (name: string) => string;
  choices: readonly string[];
  grants: readonly GrantDraft[];
  onChange: (grants: readonly GrantDraft[]) => void;
  offersFor: (name: string) => readonly Suggestion[];
  faultOf: (grant: GrantDraft, at: number) => string | undefined;
}) {
  const [gone, setGone] = useState(0);
  const left = choicesLeft(choices, grants);
  const id = row.toLowerCase();
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <div>
        <h2 id={id} className="text-lead font-semibold">
          {title}
        </h2>
        <p className="text-quiet">{about}</p>
      </div>
      {grants.map((grant, at) => (
        <fieldset
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name of their own, and all begin anew when one goes
          key={`${gone} ${at}`}
          className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-3 rounded-lg border border-line bg-raised p-4 sm:grid-cols-[14rem_minmax(0,1fr)_auto]"
        >
          <legend className="sr-only">
            {row} {at + 1}
          </legend>
          <TextField
            label={row}
            value={grant.name}
            options={[grant.name, ...left].map((name) => [name, wordsOf(name)])}
            onChange={(name) => onChange(grants.with(at, { ...grant, name }))}
          />
          <div className="max-sm:order-last max-sm:col-span-2">
            <NamesField
              label={t('Applies to')}
              names={grant.on}
              suggestions={offersFor(grant.name)}
              fault={faultOf(grant, at)}
              onChange={(on) => onChange(grants.with(at, { ...grant, on }))}
            />
          </div>
          <Button
            look="quiet"
            className="mt-6.5"
            aria-label={t('Remove {name}', { name: grant.name })}
            onClick={() => {
              setGone(gone + 1);
              onChange(grants.toSpliced(at, 1));
            }}
          >
            <Trash2 size={14} aria-hidden />
          </Button>
        </fieldset>
      ))}
      {left[0] !== undefined && (
        <div>
          <Button onClick={() => onChange([...grants, { name: left[0] ?? '', on: [] }])}>
            <Plus size={14} aria-hidden />
            {add}
          </Button>
        </div>
      )}
    </section>
  );
}
