import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, type Session, sessionsKey } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, parts, t } from '../words/words.ts';

/** Asks, then ends one session. */
export function EndSession({ session, onClose }: { session: Session; onClose: () => void }) {
  const { id, username, is_current } = session;
  return (
    <Question
      title={t('End this session?')}
      act={async () => {
        await api('sessions.end', { params: { id } });
        return t('The session of {username} has ended.', { username });
      }}
      answer={t('End session')}
      onClose={onClose}
    >
      <p>
        {parts('{username} is signed out there from the next request on.', {
          username: <strong className="font-semibold">{username}</strong>,
        })}{' '}
        {is_current && t('This is the session that you are using: you will have to sign in again.')}
      </p>
    </Question>
  );
}

/** Asks, then ends every session of a person, with their tokens where that is wished. */
export function EndAllSessions({
  person: { provider, subject, username },
  onClose,
}: {
  person: Session;
  onClose: () => void;
}) {
  const [revoke, setRevoke] = useState(false);
  return (
    <Question
      title={t('End all sessions of {username}?', { username })}
      act={async () => {
        const ended = await api('sessions.endAll', {
          params: { provider, subject },
          body: { revoke_tokens: revoke },
        });
        const sessions = count(ended.sessions_ended, '{n} session ended', '{n} sessions ended');
        const tokens = count(ended.tokens_revoked, '{n} token revoked', '{n} tokens revoked');
        return `${username}: ${sessions}, ${tokens}.`;
      }}
      answer={t('End all sessions')}
      onClose={onClose}
    >
      <p>
        {parts(
          '{username} is signed out everywhere from the next request on, and groups are read again. They can sign in again unless the account is disabled at the identity provider.',
          { username: <strong className="font-semibold">{username}</strong> },
        )}
      </p>
      <label className="flex items-start gap-2">
        <input
          type="checkbox"
          checked={revoke}
          onChange={(event) => setRevoke(event.currentTarget.checked)}
          className="mt-0.5 size-4 shrink-0 accent-accent"
        />
        <span>{t('Revoke their personal tokens too. This cannot be undone.')}</span>
      </label>
    </Question>
  );
}

function Question({
  title,
  act,
  answer,
  onClose,
  children,
}: {
  title: string;
  act: () => Promise<string>;
  answer: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const queries = useQueryClient();
  const run = useMutation({
    mutationFn: act,
    onSuccess: async (told) => {
      onClose();
      announce('done', told);
      await queries.invalidateQueries({ queryKey: [sessionsKey] });
    },
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="grid gap-4">
        {children}
        {run.error && <Problem error={run.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button look="danger" busy={run.isPending} onClick={() => run.mutate()}>
            {answer}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
