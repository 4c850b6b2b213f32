import { X } from 'lucide-react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';

/** Something that can be chosen: what is stored, and what it is called where that differs. */
export interface Suggestion {
  readonly value: string;
  readonly words?: string;
}

/**
 * Several names: those that are chosen, each with a way to take it out, and a field for one more that offers what there is
 * and takes anything. Enter, a comma, or leaving the field adds what is written.
 */
export function NamesField({
  label,
  names,
  onChange,
  suggestions = [],
  hint,
  fault,
}: {
  label: string;
  names: readonly string[];
  onChange: (names: readonly string[]) => void;
  suggestions?: readonly Suggestion[];
  hint?: string;
  fault?: string | undefined;
}) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const add = () => {
    const added = text.split(',').flatMap((part) => part.trim() || []);
    setText('');
    if (added.length > 0) onChange([...new Set([...names, ...added])]);
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
        className={`flex flex-wrap items-center gap-1 rounded-md border bg-raised p-1 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent ${fault === undefined ? 'border-edge' : 'border-bad'}`}
      >
        {names.length > 0 && (
          <ul aria-label={`${label}: chosen`} className="contents">
            {names.map((name) => (
              <li
                key={name}
                className="inline-flex max-w-full items-center gap-1 rounded-sm bg-hover py-0.5 pl-2"
              >
                <span className="min-w-0 break-all">
                  {words.get(name) ?? name}
                  {words.get(name) !== undefined && (
                    <span className="ml-1 font-mono text-code text-quiet">{name}</span>
                  )}
                </span>
                <button
                  type="button"
                  onClick={() => remove(name)}
                  aria-label={`Take out ${words.get(name) ?? name}`}
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
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={press}
          onBlur={add}
          autoComplete="off"
          aria-invalid={fault !== undefined}
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
        {fault !== undefined && <span className="block text-bad">{fault}</span>}
        {hint && <span className="text-quiet">{hint}</span>}
      </p>
    </div>
  );
}
