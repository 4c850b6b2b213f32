import { ApiError } from '../../api.ts';
import { t } from '../../words/words.ts';
import { Button } from '../button.tsx';
import { Problem } from '../problem.tsx';
import type { Draft } from './use-draft.ts';

/** A save that was not sent, because a page saw before that somebody else had saved. */
export class ChangedMeanwhile extends Error {}

/** Whether a save was refused because somebody else saved before. */
export function isChangedMeanwhile(error: unknown): boolean {
  return error instanceof ChangedMeanwhile || (error instanceof ApiError && error.status === 412);
}

/**
 * How the last save of a form failed; and, before or after one, that somebody else saved another version, what became of
 * what was entered, and the two ways on. After a refusal the form has to read again what is stored.
 */
export function SaveProblem<T extends object>({
  draft,
  save,
  labels,
}: {
  draft: Pick<Draft<T>, 'isTouched' | 'isBehind' | 'contested' | 'keep' | 'discard'>;
  save: { readonly error: unknown; readonly isPending: boolean; readonly reset: () => void };
  /** What the form calls its fields. */
  labels: Partial<Record<keyof T, string>>;
}) {
  const isRefused = isChangedMeanwhile(save.error);
  if (save.error && !isRefused) return <Problem error={save.error} />;
  if (save.isPending || !(isRefused || draft.isBehind)) return null;
  const contested = draft.contested.map((key) => labels[key] ?? String(key));
  const then = (act: () => void) => () => {
    save.reset();
    act();
  };
  return (
    <div role="alert" className="grid gap-2 rounded-md border border-warn bg-warn-soft p-3">
      <p className="font-semibold">
        {isRefused
          ? t('Not saved: someone else changed it in the meantime')
          : t('Someone else changed this in the meantime')}
      </p>
      <p>{t('What you entered is kept. Every other field shows the current version.')}</p>
      {contested.length > 0 && (
        <p>
          {t('Both of you changed: {fields}. Saving replaces their version with yours.', {
            fields: contested.join(', '),
          })}
        </p>
      )}
      {draft.isTouched && (
        <div className="flex flex-wrap gap-2">
          <Button onClick={then(draft.keep)}>{t('Keep my changes')}</Button>
          <Button onClick={then(draft.discard)}>{t('Take the current version')}</Button>
        </div>
      )}
    </div>
  );
}
