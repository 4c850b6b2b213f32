import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Clock } from 'lucide-react';
import { useEffect, useState } from 'react';
import { meQuery } from '../api.ts';
import { count, t } from '../words/words.ts';

/** The channel on which the tab of a renewal tells the others. */
export const sessionNews = 'mcp-gateway-session';

const minute = 60_000;
/** How long before its end a session is spoken of. */
const warnBefore = 5 * minute;

/**
 * Tells that the session ends soon, and renews it in another tab: whatever is typed on this page stays as it is.
 */
export function SessionBanner() {
  const { data: me } = useQuery(meQuery);
  const queries = useQueryClient();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    const news = new BroadcastChannel(sessionNews);
    news.onmessage = () => void queries.invalidateQueries({ queryKey: meQuery.queryKey });
    return () => {
      clearInterval(timer);
      news.close();
    };
  }, [queries]);
  const ends = me?.session_ends_at ? Date.parse(me.session_ends_at) : undefined;
  if (!me || ends === undefined || ends - now > warnBefore) return null;
  const left = Math.ceil((ends - now) / minute);
  return (
    <section aria-label={t('Your session')} className="border-b border-line bg-warn-soft">
      <p
        role="status"
        className="mx-auto flex max-w-432 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 sm:px-6"
      >
        <Clock size={16} aria-hidden className="shrink-0 text-warn" />
        <span className="min-w-0 flex-1">
          {left > 0
            ? count(left, 'Your session ends in a minute.', 'Your session ends in {n} minutes.')
            : t('Your session has ended.')}{' '}
          {t('What you have typed here is kept.')}
        </span>
        <a
          href={`/oauth2/login/${encodeURIComponent(me.provider)}?redirect_uri=${encodeURIComponent('/renewed')}`}
          target="_blank"
          rel="noopener opener"
          className="font-medium underline underline-offset-4"
        >
          {left > 0 ? t('Stay signed in') : t('Sign in again')}
        </a>
      </p>
    </section>
  );
}
