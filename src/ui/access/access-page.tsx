import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { meQuery } from '../api.ts';
import { AdministratorsOnly } from '../controls/administrators-only.tsx';
import { buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { TabLinks } from '../controls/tab-links.tsx';
import { t } from '../words/words.ts';
import { EffectiveAccess } from './effective-access.tsx';
import { ExplainCall } from './explain-call.tsx';
import { DirectoryGroups, ScopeList } from './scope-list.tsx';

/** For administrators: the scopes, the groups of the directory, and why a call is allowed or denied. */
export function Access() {
  const { data: me } = useQuery(meQuery);
  const { tab = '' } = useSearch({ from: '/signed-in/access' });
  if (!me) return null;
  if (!me.is_admin)
    return (
      <Page title={t('Access')}>
        <AdministratorsOnly />
      </Page>
    );
  const tabs = [
    { name: '', words: t('Scopes') },
    { name: 'groups', words: t('Groups') },
    { name: 'check', words: t('Check access') },
  ];
  const current = tabs.some(({ name }) => name === tab) ? tab : '';
  return (
    <Page
      title={t('Access')}
      actions={
        <Link to="/access/new" className={buttonClass('primary')}>
          {t('Create a scope')}
        </Link>
      }
    >
      <TabLinks tabs={tabs} current={current} />
      {current === '' && <ScopeList />}
      {current === 'groups' && <DirectoryGroups />}
      {current === 'check' && (
        <div className="grid gap-6">
          <ExplainCall />
          <EffectiveAccess />
        </div>
      )}
    </Page>
  );
}
