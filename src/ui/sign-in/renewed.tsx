import { useEffect } from 'react';
import { Page } from '../controls/page.tsx';
import { Outside } from '../shell/outside.tsx';
import { sessionNews } from '../shell/session-banner.tsx';
import { t } from '../words/words.ts';

/** Where a renewal of the session ends, in a tab of its own: it tells the other tabs and closes itself where it may. */
export function Renewed() {
  useEffect(() => {
    const news = new BroadcastChannel(sessionNews);
    news.postMessage('renewed');
    news.close();
    window.close();
  }, []);
  return (
    <Outside>
      <Page title={t('You are signed in again')}>
        <p className="text-quiet">{t('Close this tab and continue where you were.')}</p>
      </Page>
    </Outside>
  );
}
