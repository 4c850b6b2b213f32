import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { lazy, Suspense, useCallback, useDeferredValue, useState } from 'react';
import { allTokensQuery, api, type Me, meQuery, tokensKey, tokensQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { TabLinks } from '../controls/tab-links.tsx';
import { announce } from '../controls/toasts.tsx';
import { useUrlText } from '../controls/url-text.ts';
import { count, number, t } from '../words/words.ts';
import { type Token, TokenRow } from './token-row.tsx';

/** Personal tokens: the caller's own and, for administrators, everybody's, found by id, owner or description. */
export function Tokens() {
  const { data: me } = useQuery(meQuery);
  const { tab = '' } = useSearch({ from: '/signed-in/tokens' });
  const ofAll = me?.is_admin === true && tab === 'all';
  return (
    <Page title={t('Tokens')} actions={me && <CreateToken me={me} />}>
      {me?.is_admin && (
        <TabLinks
          tabs={[
            { name: '', words: t('My tokens') },
            { name: 'all', words: t("Everyone's tokens") },
          ]}
          current={ofAll ? 'all' : ''}
        />
      )}
      {ofAll ? <AllTokens /> : <OwnTokens />}
    </Page>
  );
}

const MintToken = lazy(() =>
  import('./mint-token.tsx').then(({ MintToken: component }) => ({ default: component })),
);

function CreateToken({ me }: { me: Me }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus size={15} aria-hidden />
        {t('Create a token')}
      </Button>
      <Suspense>{open && <MintToken me={me} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}

function OwnTokens() {
  const { data, error, isPending, refetch } = useQuery(tokensQuery);
  const [revoking, setRevoking] = useState<Token>();
  const isOver = (token: Token) => token.revoked_at !== null || Date.parse(token.expires_at) <= Date.now();
  const tokens = data?.tokens ?? [];
  const living = tokens.filter((token) => !isOver(token));
  const ended = tokens.filter(isOver);
  return (
    <>
      <p className="mb-4 max-w-prose text-quiet">
        {t(
          'A personal token acts for you: it can do what your groups allow at the time of use, within the scopes it was created with. Revoking it takes effect with the next request.',
        )}
      </p>
      {isPending && <Pending rows={4} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && living.length === 0 && (
        <Empty>
          <p className="max-w-prose text-quiet">
            {t('You have no tokens. Most clients need none: they let you sign in.')}{' '}
            <Link to="/" className="underline underline-offset-4">
              {t('Connect a client')}
            </Link>
          </p>
        </Empty>
      )}
      {living.length > 0 && (
        <ul aria-label={t('Tokens')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {living.map((token) => (
            <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
          ))}
        </ul>
      )}
      {ended.length > 0 && (
        <details className="mt-4">
          <summary className="w-fit rounded-sm text-quiet underline underline-offset-4">
            {t('Expired or revoked')} ({number(ended.length)})
          </summary>
          <ul
            aria-label={t('Expired or revoked')}
            className="mt-3 overflow-hidden rounded-lg border border-line bg-raised"
          >
            {ended.map((token) => (
              <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
            ))}
          </ul>
        </details>
      )}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

const states = { active: t('Active'), '': t('All'), ended: t('Expired or revoked') } as const;

function AllTokens() {
  const { q = '', state: asked = 'active' } = useSearch({ from: '/signed-in/tokens' });
  const state = Object.hasOwn(states, asked) ? (asked as keyof typeof states) : '';
  const navigate = useNavigate({ from: '/tokens' });
  const set = useCallback(
    (change: { q?: string; state?: string }) =>
      void navigate({ search: (now) => ({ ...now, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
  const write = useCallback((text: string) => set({ q: text }), [set]);
  const [text, setText] = useUrlText(q, write);
  const wanted = useDeferredValue(text.trim());
  const { data, error, isPending, refetch } = useQuery({
    ...allTokensQuery(wanted, state),
    placeholderData: keepPreviousData,
  });
  const [revoking, setRevoking] = useState<Token>();
  const [all, setAll] = useState<Token>();
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search
          things={t('tokens')}
          placeholder={t('Token id, person or description')}
          value={text}
          onChange={setText}
        />
        <select
          aria-label={t('State')}
          value={state}
          onChange={(event) => set({ state: event.currentTarget.value || 'all' })}
          className="h-8 rounded-md border border-edge bg-raised px-2"
        >
          {Object.entries(states).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <p role="status" className="ml-auto text-quiet">
          {data && count(data.total, '{n} token', '{n} tokens')}
        </p>
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.tokens.length === 0 && (
        <Empty>{t('No token matches. A token id is in each audit event of a call made with it.')}</Empty>
      )}
      {data && data.tokens.length > 0 && (
        <ul aria-label={t('Tokens')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {data.tokens.slice(0, 200).map((token) => (
            <TokenRow
              key={token.id}
              token={token}
              ofAll
              onRevoke={() => setRevoking(token)}
              onRevokeAll={() => setAll(token)}
            />
          ))}
        </ul>
      )}
      {data && data.total > 200 && (
        <p className="mt-2 text-quiet">{t('The newest 200 are shown. Search to find others.')}</p>
      )}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
      {all && <RevokeAll token={all} onClose={() => setAll(undefined)} />}
    </>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const queries = useQueryClient();
  const name = token.description || t('The token without description');
  const revoke = useMutation({
    mutationFn: () => api('tokens.revoke', { params: { id: token.id } }),
    onSuccess: async () => {
      onClose();
      announce('done', t('{name} was revoked.', { name }));
      await queries.invalidateQueries({ queryKey: [tokensKey] });
    },
  });
  return (
    <Dialog title={t('Revoke this token?')} onClose={onClose}>
      <div className="grid gap-4">
        <p>{t('{name} stops working at once, wherever it is used. This cannot be undone.', { name })}</p>
        {revoke.error && <Problem error={revoke.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            {t('Revoke')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function RevokeAll({ token, onClose }: { token: Token; onClose: () => void }) {
  const queries = useQueryClient();
  const { provider, subject, username } = token;
  const revoke = useMutation({
    mutationFn: () => api('tokens.revokeAll', { params: { provider, subject } }),
    onSuccess: async ({ tokens_revoked: n }) => {
      onClose();
      announce('done', `${username}: ${count(n, '{n} token revoked.', '{n} tokens revoked.')}`);
      await queries.invalidateQueries({ queryKey: [tokensKey] });
    },
  });
  return (
    <Dialog title={t('Revoke all tokens of {name}?', { name: username })} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {t('Every personal token of {name} stops working at once. This cannot be undone.', {
            name: username,
          })}
        </p>
        {revoke.error && <Problem error={revoke.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            {t('Revoke all')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
