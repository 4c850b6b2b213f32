import { t } from '../words/words.ts';
import type { Field } from './tool-form.ts';

const box = 'w-full rounded-md border border-edge bg-raised px-2.5 aria-invalid:border-bad';

/** One field of the form by which a tool is tried out, with what it means and what is wrong with it. */
export function ToolField({
  field,
  name,
  id,
  fault,
}: {
  field: Field;
  /** The name in the form. */
  name: string;
  id: string;
  fault: string | undefined;
}) {
  const common = {
    ...{ id, name },
    'data-field': true,
    'aria-required': field.required,
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-hint ${id}-fault`,
    defaultValue: field.initial,
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium">
        {field.label} {!field.required && <span className="font-normal text-quiet">{t('(optional)')}</span>}
      </label>
      {field.kind === 'choice' ? (
        <select {...common} className={`${box} h-8`}>
          <option value="">{field.required ? t('Choose') : t('Not given')}</option>
          {field.options.map((option) => (
            <option key={option} value={option}>
              {wordsFor(option)}
            </option>
          ))}
        </select>
      ) : field.kind === 'json' ? (
        <textarea {...common} rows={3} spellCheck={false} className={`${box} py-1.5 font-mono text-code`} />
      ) : (
        <input
          {...common}
          inputMode={field.kind === 'text' ? 'text' : 'decimal'}
          autoComplete="off"
          className={`${box} h-8`}
        />
      )}
      <p id={`${id}-hint`} className="mt-1 text-meta whitespace-pre-line text-quiet">
        {field.description}
        {field.kind === 'json' && `${field.description && ' '}${t('As JSON.')}`}
      </p>
      <p id={`${id}-fault`} className="text-meta text-bad">
        {fault}
      </p>
    </div>
  );
}

/** A value of a choice without the quotes of JSON where it is text. */
function wordsFor(option: string): string {
  const value: unknown = JSON.parse(option);
  return typeof value === 'string' ? value : option;
}
