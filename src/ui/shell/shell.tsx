import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react';
import { meQuery } from '../api.ts';
import { buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { Toasts } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import { DoctorBanner } from './doctor-banner.tsx';
import { Outside } from './outside.tsx';
import { SessionBanner } from './session-banner.tsx';
import { Drawer, Sidebar } from './sidebar.tsx';
import { TopLine } from './top-line.tsx';

/** What every page has: a way past the header, the page, the announcements. */
export function Root() {
  return (
    <>
      <a
        href="#main"
        className="absolute top-2 left-2 z-50 -translate-y-20 rounded-md bg-ink px-3 py-1.5 font-medium text-inverse focus:translate-y-0"
      >
        {t('Skip to the content')}
      </a>
      <Outlet />
      <Toasts />
    </>
  );
}

/** The page for a URL that no page has; the navigation stays for those who are signed in. */
export function NotFound() {
  const { data: me, isPending } = useQuery({ ...meQuery, retry: 0 });
  const page = (
    <Page title={t('There is no such page')}>
      <p className="mb-5 max-w-prose text-quiet">
        {t(
          'The address may be mistyped, or the page may have moved. MCP clients connect to the endpoint URL shown with each server.',
        )}
      </p>
      <Link to={me ? '/servers' : '/'} className={buttonClass('primary')}>
        {t('Go to the servers')}
      </Link>
    </Page>
  );
  if (isPending) return null;
  return me ? <Shell>{page}</Shell> : <Outside>{page}</Outside>;
}

const loadMintToken = () => import('../mine/mint-token.tsx');
const MintToken = lazy(() => loadMintToken().then(({ MintToken: component }) => ({ default: component })));
const Palette = lazy(() =>
  import('./palette.tsx').then(({ Palette: component }) => ({ default: component })),
);

type Overlay = 'drawer' | 'palette' | 'mint';

/** The frame of every page behind the sign-in: navigation, the line above, notices; then the page. */
export function Shell({ children = <Outlet /> }: { children?: ReactNode }) {
  const { data: me } = useQuery(meQuery);
  const [overlay, setOverlay] = useState<Overlay>();
  const close = useCallback(() => setOverlay(undefined), []);
  const hasAccess = me !== undefined && (me.is_admin || me.scopes.length > 0);
  useEffect(() => {
    if (!hasAccess) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      // Another dialog keeps the focus: what it asks comes first.
      setOverlay((now) => {
        if (now === 'palette') return undefined;
        return document.querySelector('dialog[open]') ? now : 'palette';
      });
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [hasAccess]);
  if (!me) return null;
  return (
    <div className="flex min-h-dvh">
      {hasAccess && <Sidebar me={me} />}
      <div className="min-w-0 flex-1">
        <TopLine
          me={me}
          hasAccess={hasAccess}
          onMenu={() => setOverlay('drawer')}
          onSearch={() => setOverlay('palette')}
          onMint={() => setOverlay('mint')}
          onMintNear={() => void loadMintToken()}
        />
        <SessionBanner />
        {me.is_admin && <DoctorBanner />}
        <main id="main" tabIndex={-1} className="mx-auto max-w-432 px-4 py-6 outline-none sm:px-6">
          {children}
        </main>
      </div>
      {overlay === 'drawer' && <Drawer me={me} onClose={close} />}
      <Suspense>
        {overlay === 'palette' && <Palette me={me} onClose={close} onMint={() => setOverlay('mint')} />}
        {overlay === 'mint' && <MintToken me={me} onClose={close} />}
      </Suspense>
    </div>
  );
}
