import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import type { Me } from '../../contract/people/sign-in.ts';
import { api, tokensQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { MintedToken } from './minted-token.tsx';
import { ScopeChoice } from './scope-choice.tsx';

type Minted = Awaited<ReturnType<typeof api<'tokens.generate'>>>;

/** The dialog that makes a personal token and shows it once. The token lives in this component only, in no cache or storage. */
export function MintToken({ me, onClose }: { me: Me; onClose: () => void }) {
  const [minted, setMinted] = useState<Minted>();
  return (
    <Dialog title={t('Get JWT Token')} onClose={onClose}>
      {minted ? <MintedToken minted={minted} onDone={onClose} /> : <MintForm me={me} onMinted={setMinted} />}
    </Dialog>
  );
}

function MintForm({ me, onMinted }: { me: Me; onMinted: (minted: Minted) => void }) {
  const { scopes, token_hours: hours } = me;
  const queries = useQueryClient();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [chosen, setChosen] = useState<readonly string[]>();
  const noneChosen = chosen?.length === 0;

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || noneChosen) return;
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      const description = String(form.get('description')).trim();
      const minted = await api('tokens.generate', {
        body: {
          expires_in_hours: Number(form.get('hours')),
          ...(description ? { description } : {}),
          ...(chosen ? { requested_scopes: [...chosen] } : {}),
        },
      });
      void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
      onMinted(minted);
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
      // The session may have ended or changed: asking who is here finds out and leads to the sign-in if so.
      void queries.invalidateQueries({ queryKey: ['me'] });
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-5">
      <p className="text-quiet">
        {t(
          'A personal token acts for you: an agent or script that has it can do what you can do, within the scopes chosen here.',
        )}
      </p>
      <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_9rem]">
        <div>
          <label htmlFor={`${id}-description`} className="mb-1 block font-medium">
            {t('Description')} <span className="font-normal text-quiet">{t('(optional)')}</span>
          </label>
          <input
            id={`${id}-description`}
            name="description"
            maxLength={200}
            placeholder={t('What is it for?')}
            autoComplete="off"
            className="h-8 w-full rounded-md border border-edge bg-raised px-2.5 placeholder:text-quiet"
          />
        </div>
        <div>
          <label htmlFor={`${id}-hours`} className="mb-1 block font-medium">
            {t('Lifetime in hours')}
          </label>
          <input
            id={`${id}-hours`}
            name="hours"
            type="number"
            min={1}
            max={hours.max}
            step={1}
            required
            defaultValue={hours.default}
            aria-describedby={`${id}-hours-hint`}
            className="h-8 w-full rounded-md border border-edge bg-raised px-2.5"
          />
          <p id={`${id}-hours-hint`} className="mt-1 text-meta text-quiet">
            {t('1 to {max}', { max: hours.max })}
          </p>
        </div>
      </div>
      <ScopeChoice scopes={scopes} chosen={chosen} onChoose={setChosen} />
      {error !== undefined && <Problem error={error} />}
      <div className="flex justify-end">
        <Button type="submit" look="primary" busy={busy}>
          {busy ? t('Creating the token …') : t('Create token')}
        </Button>
      </div>
    </form>
  );
}
