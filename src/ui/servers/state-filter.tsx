import { useId } from 'react';
import { t } from '../words/words.ts';
import { type State, states } from './server-filter.ts';

const words: Record<State, string> = {
  all: t('All'),
  enabled: t('Enabled'),
  disabled: t('Disabled'),
  issues: t('With issues'),
};

/** Narrows the list of servers to a state; each choice says how many it would show. */
export function StateFilter({
  chosen,
  counts,
  onChoose,
}: {
  chosen: State;
  counts: (state: State) => number;
  onChoose: (state: State) => void;
}) {
  const name = useId();
  return (
    <fieldset className="flex h-8 items-stretch rounded-md border border-line p-0.5">
      <legend className="sr-only">{t('Show servers by state')}</legend>
      {states.map((state) => (
        <label
          key={state}
          className="relative flex items-center gap-1 rounded-sm px-2 whitespace-nowrap text-quiet hover:text-ink has-checked:bg-hover has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent max-sm:px-1.5"
        >
          <input
            type="radio"
            name={name}
            checked={state === chosen}
            onChange={() => onChoose(state)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {words[state]} <span className="text-meta text-quiet">{counts(state)}</span>
        </label>
      ))}
    </fieldset>
  );
}
