import { X } from 'lucide-react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { t } from '../../words/words.ts';

/** Something that can be chosen: what is stored, and what it is called where that differs. */
export interface Suggestion {
  readonly value: string;
  readonly words?: string;
}

/** Names that stand for everything there is, so that no other one can stand beside them. */
const everything: readonly string[] = ['all', '*'];

/** The names with more of them: naming one thing replaces everything, and everything replaces each single thing. */
function namesWith(names: readonly string[], added: readonly string[]): readonly string[] {
  const whole = added.find((name) => everything.includes(name));
  if (whole !== undefined) return [whole];
  return [...new Set([...names.filter((name) => !everything.includes(name)), ...added])];
}

/**
 * Several names: those that are chosen, each with a way to take it out, and a field for one more that offers what there is.
 * What is written may be the name or what it is called. Enter, a comma, or leaving the field adds it. With `unknown` only
 * what is offered is taken, and other text stays in the field with that message.
 */
export function NamesField({
  label,
  names,
  onChange,
  suggestions = [],
  hint,
  fault,
  unknown,
}: {
  label: string;
  names: readonly string[];
  onChange: (names: readonly string[]) => void;
  suggestions?: readonly Suggestion[];
  hint?: string;
  fault?: string | undefined;
  /** What is said of a name that is not offered; any name is taken where it is not given. */
  unknown?: ((name: string) => string | undefined) | undefined;
}) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string>();
  const add = () => {
    const added = text.split(',').flatMap((part) => part.trim() || []);
    const found = added.map((one) => offeredValue(one, suggestions) ?? one);
    const stranger = found.find((one) => offeredValue(one, suggestions) === undefined && unknown?.(one));
    setRefused(stranger === undefined ? undefined : unknown?.(stranger));
    if (stranger !== undefined) return;
    setText('');
    if (found.length > 0) onChange(namesWith(names, found));
  };
  const press = (event: KeyboardEvent) => {
    // Enter with nothing written sends the form, as in any other field.
    if ((event.key !== 'Enter' && event.key !== ',') || text.trim() === '') return;
    event.preventDefault();
    add();
  };
  const remove = (name: string) => {
    onChange(names.filter((one) => one !== name));
    // The button that had the focus is gone.
    input.current?.focus();
  };
  const left = suggestions.filter(({ value }) => !names.includes(value));
  const words = new Map(suggestions.map((one) => [one.value, one.words]));
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      <div
        className={`flex flex-wrap items-center gap-1 rounded-md border bg-raised p-1 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent ${(refused ?? fault) === undefined ? 'border-edge' : 'border-bad'}`}
      >
        {names.length > 0 && (
          <ul aria-label={t('{label}: chosen', { label })} className="contents">
            {names.map((name) => (
              <li
                key={name}
                className="inline-flex max-w-full items-center gap-1 rounded-sm bg-hover py-0.5 pl-2"
              >
                <span className="min-w-0 break-all" title={name}>
                  {words.get(name) ?? name}
                </span>
                <button
                  type="button"
                  onClick={() => remove(name)}
                  aria-label={t('Remove {name}', { name: words.get(name) ?? name })}
                  className="grid size-6 shrink-0 place-items-center rounded-sm text-quiet hover:text-ink"
                >
                  <X size={13} aria-hidden />
                </button>
              </li>
            ))}
          </ul>
        )}
        <input
          ref={input}
          id={id}
          value={text}
          list={`${id}-offers`}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setRefused(undefined);
          }}
          onKeyDown={press}
          onBlur={add}
          autoComplete="off"
          aria-invalid={(refused ?? fault) !== undefined}
          aria-describedby={`${id}-more`}
          className="h-6 min-w-24 flex-1 bg-transparent px-1.5 outline-none"
        />
      </div>
      <datalist id={`${id}-offers`}>
        {left.slice(0, 500).map(({ value, words: called }) => (
          <option key={value} value={value} label={called} />
        ))}
      </datalist>
      <p id={`${id}-more`} className="mt-1 text-meta">
        {(refused ?? fault) !== undefined && (
          <span role="alert" className="block text-bad">
            {refused ?? fault}
          </span>
        )}
        {hint && <span className="text-quiet">{hint}</span>}
      </p>
    </div>
  );
}

/** The value of what is offered under a name, by its value or by what it is called; case does not matter for the latter. */
function offeredValue(name: string, suggestions: readonly Suggestion[]): string | undefined {
  const exact = suggestions.find(({ value }) => value === name);
  if (exact) return exact.value;
  const lower = name.toLowerCase();
  const called = suggestions.filter(
    ({ value, words }) => words?.toLowerCase() === lower || value.toLowerCase() === lower,
  );
  return called.length === 1 ? called[0]?.value : undefined;
}
