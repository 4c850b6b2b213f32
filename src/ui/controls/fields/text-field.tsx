import { useId } from 'react';

const box =
  'w-full rounded-md border border-edge bg-raised px-2.5 placeholder:text-quiet aria-invalid:border-bad';

/** A labelled field of a form, with a hint and what is wrong with it. */
export function TextField({
  label,
  value,
  onChange,
  hint,
  fault,
  rows,
  options,
  offers,
  isCode = false,
  ...rest
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  hint?: string;
  fault?: string | undefined;
  /** More than one line where given. */
  rows?: number;
  /** A choice where given: value and words. */
  options?: readonly (readonly [string, string])[];
  /** What is offered where given; anything else can be written too. */
  offers?: readonly { readonly value: string; readonly words?: string }[];
  /** Whether it is to be read sign by sign. */
  isCode?: boolean;
  type?: 'text' | 'password' | 'url';
  readOnly?: boolean;
  placeholder?: string;
}) {
  const id = useId();
  const common = {
    id,
    value,
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-more`,
    onChange: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      {options ? (
        <select {...common} className={`${box} h-8`}>
          {options.map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
      ) : rows ? (
        <textarea
          {...common}
          rows={rows}
          spellCheck={!isCode}
          className={`${box} py-1.5 ${isCode ? 'font-mono text-code' : ''}`}
        />
      ) : (
        <input
          {...rest}
          {...common}
          list={offers && `${id}-offers`}
          autoComplete="off"
          className={`${box} h-8 read-only:bg-sunken`}
        />
      )}
      {offers && (
        <datalist id={`${id}-offers`}>
          {offers.slice(0, 2000).map((one) => (
            <option key={one.value} value={one.value} label={one.words} />
          ))}
        </datalist>
      )}
      <p id={`${id}-more`} className="mt-1 text-meta">
        {fault !== undefined && <span className="block whitespace-pre-line text-bad">{fault}</span>}
        {hint && <span className="text-quiet">{hint}</span>}
      </p>
    </div>
  );
}
