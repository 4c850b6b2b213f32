import { Link, useLocation } from '@tanstack/react-router';
import { ChevronLeft, KeyRound, Menu, Search } from 'lucide-react';
import type { Me } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { usePageTitle } from '../controls/page.tsx';
import { t } from '../words/words.ts';
import { placeAt } from './navigation.ts';
import { ThemeChoice } from './theme-choice.tsx';
import { UserMenu } from './user-menu.tsx';

const modifier = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : t('Ctrl');

/** The line above every page: where one is, search, token, theme and account. */
export function TopLine({
  me,
  hasAccess,
  onMenu,
  onSearch,
  onMint,
  onMintNear,
}: {
  me: Me;
  hasAccess: boolean;
  onMenu: () => void;
  onSearch: () => void;
  onMint: () => void;
  onMintNear: () => void;
}) {
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-paper">
      <div className="mx-auto flex h-14 max-w-432 items-center gap-2 px-4 sm:gap-3 sm:px-6">
        {hasAccess && (
          <button
            type="button"
            onClick={onMenu}
            aria-label={t('Open the navigation')}
            aria-haspopup="dialog"
            className="-ml-1.5 grid size-9 shrink-0 place-items-center rounded-md text-quiet hover:bg-hover hover:text-ink lg:hidden"
          >
            <Menu size={18} aria-hidden />
          </button>
        )}
        <Breadcrumbs />
        <div className="ml-auto flex shrink-0 items-center gap-2 sm:gap-3">
          {hasAccess && (
            <>
              <button
                type="button"
                onClick={onSearch}
                aria-haspopup="dialog"
                aria-keyshortcuts="Control+K Meta+K"
                className="flex h-8 items-center gap-2 rounded-md border border-edge bg-raised px-2.5 text-quiet hover:bg-hover hover:text-ink max-md:border-transparent max-md:bg-transparent max-md:px-2 xl:w-56 2xl:w-80"
              >
                <Search size={15} aria-hidden className="shrink-0" />
                <span className="max-md:sr-only">{t('Search or jump to')}</span>
                <kbd aria-hidden className="ml-auto font-sans text-meta max-md:hidden">
                  {modifier} K
                </kbd>
              </button>
              <Button
                onPointerEnter={onMintNear}
                onFocus={onMintNear}
                onClick={onMint}
                className="max-sm:px-2"
              >
                <KeyRound size={15} aria-hidden />
                <span className="max-sm:sr-only">{t('Get JWT Token')}</span>
              </Button>
            </>
          )}
          <div className="max-xl:hidden">
            <ThemeChoice />
          </div>
          <UserMenu me={me} />
        </div>
      </div>
    </header>
  );
}

/** Where the page stands: its group, its place in the navigation and, below that, its own title; each the way back. */
function Breadcrumbs() {
  const { pathname } = useLocation();
  const title = usePageTitle();
  const at = placeAt(pathname);
  const isBelow = at !== undefined && pathname !== at.place.to;
  return (
    // Beside the sidebar, which marks the place, the title below would only say it twice.
    <nav aria-label={t('Breadcrumb')} className={`min-w-0 ${isBelow ? '' : 'lg:sr-only'}`}>
      <ol className="flex min-w-0 items-center gap-1.5">
        {at && at.group !== null && (
          <li className="whitespace-nowrap text-quiet max-2xl:hidden">{at.group}</li>
        )}
        {at && at.group !== null && <Slash className="max-2xl:hidden" />}
        {at && isBelow && (
          <li className="flex shrink-0">
            <Link
              to={at.place.to}
              className="flex items-center gap-0.5 rounded-sm py-1 text-quiet hover:text-ink"
            >
              <ChevronLeft size={16} aria-hidden className="sm:hidden" />
              <span className="max-sm:max-w-20 max-sm:truncate">{at.place.words}</span>
            </Link>
          </li>
        )}
        {at && isBelow && <Slash className="max-sm:hidden" />}
        <li aria-current="page" className={`truncate font-medium ${isBelow ? 'max-sm:sr-only' : ''}`}>
          {isBelow || !at ? title : at.place.words}
        </li>
      </ol>
    </nav>
  );
}

function Slash({ className }: { className: string }) {
  return (
    <li aria-hidden className={`text-edge ${className}`}>
      /
    </li>
  );
}
