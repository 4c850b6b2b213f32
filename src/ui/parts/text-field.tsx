import { useId } from 'react';

const box =
  'w-full rounded-md border border-edge bg-raised px-2.5 placeholder:text-quiet read-only:bg-sunken aria-invalid:border-bad';

/** A labelled field of a form, with a hint and what is wrong with it. */
export function TextField({
  label,
  value,
  onChange,
  hint,
  fault,
  rows,
  options,
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
        <textarea {...common} rows={rows} className={`${box} py-1.5`} />
      ) : (
        <input {...rest} {...common} autoComplete="off" className={`${box} h-8`} />
      )}
      <p id={`${id}-more`} className="mt-1 text-meta">
        {fault !== undefined && <span className="block text-bad">{fault}</span>}
        {hint && <span className="text-quiet">{hint}</span>}
      </p>
    </div>
  );
}
