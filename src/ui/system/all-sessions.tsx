import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { sessionsQuery } from '../api.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { SessionList } from '../mine/session-list.tsx';
import { count, t } from '../words/words.ts';

/** Everybody's living sessions, for administrators: narrowed by user name, ended one by one or all of a person. */
export function AllSessions() {
  const { data, error, isPending, refetch } = useQuery(sessionsQuery(true));
  const [name, setName] = useState('');
  const wanted = name.trim().toLowerCase();
  const shown = data?.sessions.filter(({ username }) => username.toLowerCase().includes(wanted)) ?? [];
  return (
    <section aria-labelledby="sessions" className="grid gap-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 id="sessions" className="text-lead font-semibold">
          {t('Sessions')}
        </h2>
        <input
          type="search"
          aria-label={t('Search sessions by user name')}
          placeholder={t('User name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          className="h-8 w-full rounded-md border border-edge bg-raised px-2 placeholder:text-quiet sm:max-w-xs"
        />
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && shown.length > 0 && <SessionList sessions={shown} ofAll />}
      {data && (
        <p role="status" className="text-quiet">
          {shown.length === 0
            ? t('No one of that name is signed in.')
            : t('{n} of {total}.', {
                n: shown.length,
                total: count(data.sessions.length, '{n} session', '{n} sessions'),
              })}
          {shown.length === 0 && wanted !== '' && (
            <>
              {' '}
              <Link to="/tokens" search={{ tab: 'all', q: name }} className="underline underline-offset-4">
                {t('Find their tokens')}
              </Link>
            </>
          )}
        </p>
      )}
    </section>
  );
}
