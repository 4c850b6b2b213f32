import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { meQuery } from '../api.ts';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { TabLinks } from '../controls/tab-links.tsx';
import { t } from '../words/words.ts';
import { AllSessions } from './all-sessions.tsx';
import { Doctor } from './doctor.tsx';
import { GatewayOverview } from './gateway-overview.tsx';
import { Jobs } from './jobs.tsx';
import { SettingsInForce } from './settings-in-force.tsx';

const parts: Readonly<Record<string, () => React.JSX.Element>> = {
  settings: SettingsInForce,
  sessions: AllSessions,
  jobs: Jobs,
};

/** For administrators: how the gateway runs, whether its identity provider is set up as it should be, who is signed in, and its settings. */
export function Operations() {
  const { data: me } = useQuery(meQuery);
  const { tab = '' } = useSearch({ from: '/signed-in/operations' });
  if (!me) return null;
  if (!me.is_admin)
    return (
      <Page title={t('System')}>
        <Empty>
          <p className="max-w-prose text-quiet">
            {t(
              'This page is for administrators: members of a group that is mapped to the administrator scopes.',
            )}{' '}
            <Link to="/sessions" className="text-ink underline underline-offset-4">
              {t('Your sessions')}
            </Link>
          </p>
        </Empty>
      </Page>
    );
  const Part = Object.hasOwn(parts, tab) ? parts[tab] : undefined;
  return (
    <Page title={t('System')}>
      <TabLinks
        tabs={[
          { name: '', words: t('Health') },
          { name: 'sessions', words: t('Sessions') },
          { name: 'jobs', words: t('Jobs') },
          { name: 'settings', words: t('Settings') },
        ]}
        current={Part ? tab : ''}
      />
      {Part ? (
        <Part />
      ) : (
        <>
          <GatewayOverview />
          <Doctor />
        </>
      )}
    </Page>
  );
}
