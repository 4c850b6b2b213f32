import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { providersQuery, type Session } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { parts, t } from '../words/words.ts';
import { browserWords } from './browser-words.ts';
import { EndAllSessions, EndSession } from './end-sessions.tsx';

/** Living sessions with a way to end each; with `ofAll` also those of one person together. */
export function SessionList({ sessions, ofAll }: { sessions: readonly Session[]; ofAll: boolean }) {
  const [asked, setAsked] = useState<{ session: Session; all: boolean }>();
  const close = () => setAsked(undefined);
  return (
    <>
      <ul aria-label={t('Sessions')} className="rounded-lg border border-line bg-raised">
        {sessions.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            ofAll={ofAll}
            onEnd={(all) => setAsked({ session, all })}
          />
        ))}
      </ul>
      {asked && !asked.all && <EndSession session={asked.session} onClose={close} />}
      {asked?.all && <EndAllSessions person={asked.session} onClose={close} />}
    </>
  );
}

function SessionRow({
  session,
  ofAll,
  onEnd,
}: {
  session: Session;
  ofAll: boolean;
  onEnd: (all: boolean) => void;
}) {
  const { username, provider, created_at, last_seen_at, expires_at, is_current } = session;
  const { data: offered } = useQuery(providersQuery);
  const called = offered?.providers.find(({ name }) => name === provider)?.display_name ?? provider;
  const which = t('of {username}, last used {time}', {
    username,
    time: last_seen_at.slice(0, 16).replace('T', ' '),
  });
  return (
    <li className="flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0">
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-semibold">
          {username}
          {is_current && (
            <span className="ml-2 rounded-sm bg-hover px-1.5 py-0.5 text-meta font-normal text-quiet">
              {t('This session')}
            </span>
          )}
        </p>
        <p className="text-quiet">
          <span title={session.user_agent ?? undefined}>{browserWords(session.user_agent)}</span>
          {session.client_ip !== null && `, ${session.client_ip}`}
          <br />
          {parts('Signed in {time} with {provider}', {
            time: <RelativeTime iso={created_at} />,
            provider: called,
          })}
        </p>
      </div>
      <p className="basis-48 text-quiet">
        {parts('Last used {time}', { time: <RelativeTime iso={last_seen_at} /> })}
        <br />
        {parts('Ends {time}', { time: <RelativeTime iso={expires_at} /> })}
      </p>
      <div className="flex flex-wrap gap-2">
        <Button aria-label={t('End the session {which}', { which })} onClick={() => onEnd(false)}>
          {t('End')}
        </Button>
        {ofAll && (
          <Button aria-label={t('End all sessions {which}', { which })} onClick={() => onEnd(true)}>
            {t('End all')}
          </Button>
        )}
      </div>
    </li>
  );
}
