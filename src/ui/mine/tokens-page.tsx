import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, tokensQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { type Token, TokenRow } from './token-row.tsx';

/** The caller's personal tokens: what each may do, when it was used, and a way to revoke it. */
export function Tokens() {
  const { data, error, isPending, refetch } = useQuery(tokensQuery);
  const [revoking, setRevoking] = useState<Token>();
  return (
    <Page title="Tokens">
      <p className="mb-4 max-w-prose text-quiet">
        Personal tokens act for you. They do what your groups allow at the time of use, within the scopes they
        were made with. A revoked token is refused from the next request on.
      </p>
      {isPending && <Pending rows={4} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data?.tokens.length === 0 && (
        <p className="rounded-md border border-line bg-raised p-6 text-quiet">
          You have no tokens. <strong className="font-semibold text-ink">Get JWT Token</strong> above makes
          one.
        </p>
      )}
      {data && data.tokens.length > 0 && (
        <ul aria-label="Tokens" className="rounded-lg border border-line bg-raised">
          {data.tokens.map((token) => (
            <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
          ))}
        </ul>
      )}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const queries = useQueryClient();
  const name = token.description || 'The token without description';
  const revoke = useMutation({
    mutationFn: () => api('tokens.revoke', { params: { id: token.id } }),
    onSuccess: async () => {
      onClose();
      announce('done', `${name} was revoked.`);
      await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  return (
    <Dialog title="Revoke this token?" onClose={onClose}>
      <div className="grid gap-4">
        <p>
          <strong className="font-semibold">{name}</strong> stops working at once, wherever it is used. This
          cannot be undone.
        </p>
        {revoke.error && <Problem error={revoke.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
