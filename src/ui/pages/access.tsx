import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../api.ts';
import { AdministratorsOnly } from '../parts/administrators-only.tsx';
import { EffectiveAccess } from '../parts/effective-access.tsx';
import { ExplainCall } from '../parts/explain-call.tsx';
import { Page } from '../parts/page.tsx';
import { ScopeList } from '../parts/scope-list.tsx';

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
