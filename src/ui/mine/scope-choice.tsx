import { useId } from 'react';
import { t } from '../words/words.ts';

/** Which scopes a token gets: all of the caller's, as they are at each use (`chosen` undefined), or some of them. */
export function ScopeChoice({
  scopes,
  chosen,
  onChoose,
}: {
  scopes: readonly string[];
  chosen: readonly string[] | undefined;
  onChoose: (chosen: readonly string[] | undefined) => void;
}) {
  const name = useId();
  const set = (scope: string, on: boolean) =>
    onChoose(scopes.filter((one) => (one === scope ? on : chosen?.includes(one))));
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 font-medium">{t('Scopes')}</legend>
      <label className="flex items-start gap-2">
        <input
          type="radio"
          name={name}
          checked={chosen === undefined}
          onChange={() => onChoose(undefined)}
          className="mt-0.5 size-4 accent-accent"
        />
        <span>{t('All of mine ({n})', { n: scopes.length })}</span>
      </label>
      <label className="flex items-start gap-2">
        <input
          type="radio"
          name={name}
          checked={chosen !== undefined}
          onChange={() => onChoose([])}
          className="mt-0.5 size-4 accent-accent"
        />
        <span>{t('Only some')}</span>
      </label>
      {chosen && (
        <fieldset className="ml-6 grid gap-1.5 rounded-md border border-line bg-paper p-3">
          <legend className="sr-only">{t('Scopes of the token')}</legend>
          {scopes.map((scope) => (
            <label key={scope} className="flex items-start gap-2">
              <input
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={(event) => set(scope, event.currentTarget.checked)}
                className="mt-0.5 size-4 shrink-0 accent-accent"
              />
              <code className="min-w-0 font-mono text-code">{scope}</code>
            </label>
          ))}
          {chosen.length === 0 && <p className="text-meta text-warn">{t('Choose at least one scope.')}</p>}
        </fieldset>
      )}
    </fieldset>
  );
}
