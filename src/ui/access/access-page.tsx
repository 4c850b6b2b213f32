import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../api.ts';
import { Page } from '../controls/page.tsx';
import { AdministratorsOnly } from '../shell/administrators-only.tsx';
import { EffectiveAccess } from './effective-access.tsx';
import { ExplainCall } from './explain-call.tsx';
import { ScopeList } from './scope-list.tsx';

/** For administrators: why a call is allowed or refused, the scopes, and the groups of the directory. */
export function Access() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <Page title="Access">
      {me.is_admin ? (
        <>
          <ExplainCall />
          <EffectiveAccess />
          <ScopeList />
        </>
      ) : (
        <AdministratorsOnly />
      )}
    </Page>
  );
}
