import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { type Me, meQuery } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { Button } from '../controls/button.tsx';
import { DoctorBanner } from './doctor-banner.tsx';
import { Mark } from './mark.tsx';
import { SessionBanner } from './session-banner.tsx';
import { ThemeChoice } from './theme-choice.tsx';
import { UserMenu } from './user-menu.tsx';

const loadMintToken = () => import('../mine/mint-token.tsx');
const MintToken = lazy(() => loadMintToken().then(({ MintToken: component }) => ({ default: component })));

const link =
  'rounded-md px-2.5 py-1.5 font-medium text-quiet hover:bg-hover hover:text-ink aria-[current=page]:text-ink aria-[current=page]:underline aria-[current=page]:decoration-2 aria-[current=page]:underline-offset-8';

/** The frame of every page behind the sign-in: header with navigation, token button, theme and account; then the page. */
export function Shell() {
  const { data: me } = useQuery(meQuery);
  const [minting, setMinting] = useState(false);
  if (!me) return null;
  const hasAccess = me.is_admin || me.scopes.length > 0;
  return (
    <>
      <header className="border-b border-line bg-raised">
        <div className="mx-auto flex max-w-7xl flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 sm:px-6">
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <Mark />
            <span>MCP Gateway &amp; Registry</span>
          </Link>
          {hasAccess && (
            <div className="flex flex-1 items-center justify-between max-sm:order-1 max-sm:basis-full">
              <nav aria-label="Main" className="-ml-2.5 flex flex-wrap gap-1 sm:ml-2">
                <Link to="/" activeOptions={{ exact: true, includeSearch: false }} className={link}>
                  Servers
                </Link>
                {seesAgents(me) && (
                  <Link to="/agents" activeOptions={{ includeSearch: false }} className={link}>
                    Agents
                  </Link>
                )}
                <Link to="/tokens" className={link}>
                  Tokens
                </Link>
                {me.is_admin && (
                  <Link to="/accounts" activeOptions={{ includeSearch: false }} className={link}>
                    Accounts
                  </Link>
                )}
                {me.is_admin && (
                  <Link to="/access" className={link}>
                    Access
                  </Link>
                )}
                {readsAudit(me) && (
                  <Link to="/audit" activeOptions={{ includeSearch: false }} className={link}>
                    Audit
                  </Link>
                )}
                {me.is_admin && (
                  <Link to="/operations" className={link}>
                    Operations
                  </Link>
                )}
              </nav>
              <Button
                onPointerEnter={() => void loadMintToken()}
                onFocus={() => void loadMintToken()}
                onClick={() => setMinting(true)}
              >
                <KeyRound size={15} aria-hidden />
                Get JWT Token
              </Button>
            </div>
          )}
          <div className="ml-auto flex items-center gap-3">
            <div className="max-md:hidden">
              <ThemeChoice />
            </div>
            <UserMenu me={me} />
          </div>
        </div>
      </header>
      <SessionBanner />
      {me.is_admin && <DoctorBanner />}
      <main id="main" tabIndex={-1} className="mx-auto max-w-7xl px-4 py-6 outline-none sm:px-6">
        <Outlet />
      </main>
      {minting && (
        <Suspense>
          <MintToken me={me} onClose={() => setMinting(false)} />
        </Suspense>
      )}
    </>
  );
}

/** Whether there can be anything on the page of agents for somebody. */
function seesAgents({ ui_permissions: { list_agents = [], publish_agent = [] } }: Me): boolean {
  return list_agents.length + publish_agent.length > 0;
}
