import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { meQuery } from '../api.ts';
import { Page } from '../controls/page.tsx';
import { AllSessions } from './all-sessions.tsx';
import { Doctor } from './doctor.tsx';
import { GatewayOverview } from './gateway-overview.tsx';
import { SettingsInForce } from './settings-in-force.tsx';

/** For administrators: how the gateway runs, whether its identity provider is set up as it should be, and who is signed in. */
export function Operations() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <Page title="Operations">
      {me.is_admin ? (
        <>
          <GatewayOverview />
          <Doctor />
          <AllSessions />
          <SettingsInForce />
        </>
      ) : (
        <p className="rounded-md border border-line bg-raised p-6 text-quiet">
          This page is for administrators: members of a group that is mapped to the administrator scopes. Your
          own sessions are under{' '}
          <Link to="/sessions" className="text-ink underline underline-offset-4">
            Your sessions
          </Link>
          .
        </p>
      )}
    </Page>
  );
}
