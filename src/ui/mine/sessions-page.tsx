import { useQuery } from '@tanstack/react-query';
import { sessionsQuery } from '../api.ts';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { SessionList } from './session-list.tsx';

/** The caller's own living sessions, and a way to end each. */
export function Sessions() {
  const { data, error, isPending, refetch } = useQuery(sessionsQuery(false));
  return (
    <Page title={t('Your sessions')}>
      <p className="mb-4 max-w-prose text-quiet">
        {t(
          'Browsers in which you are signed in here. End those that you do not know, or no longer use: they are signed out from the next request on.',
        )}
      </p>
      {isPending && <Pending rows={3} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <SessionList sessions={data.sessions} ofAll={false} />}
    </Page>
  );
}
