import { Link, useLocation } from '@tanstack/react-router';
import { PanelLeftClose, PanelLeftOpen, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Me } from '../api.ts';
import { t } from '../words/words.ts';
import { Mark } from './mark.tsx';
import { placeAt, placesOf } from './navigation.ts';

const stored = 'mcp-gateway-sidebar';

/** The navigation at the left of a wide page; it folds to its icons, and stays so on this device. */
export function Sidebar({ me }: { me: Me }) {
  const [folded, setFolded] = useState(wasFolded);
  const fold = () => {
    setFolded(!folded);
    try {
      localStorage.setItem(stored, folded ? 'open' : 'folded');
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  };
  const Icon = folded ? PanelLeftOpen : PanelLeftClose;
  const label = folded ? t('Expand the sidebar') : t('Collapse the sidebar');
  return (
    <div
      className={`sticky top-0 flex h-dvh shrink-0 flex-col border-r border-line bg-side max-lg:hidden ${folded ? 'w-15' : 'w-60'}`}
    >
      <Places me={me} folded={folded} brand={<Brand folded={folded} />} />
      <div className="border-t border-line p-3">
        <button
          type="button"
          onClick={fold}
          aria-expanded={!folded}
          aria-label={label}
          title={label}
          className="flex h-8 w-full items-center gap-2.5 rounded-md px-2 text-quiet hover:bg-hover hover:text-ink"
        >
          <Icon size={16} aria-hidden className="shrink-0" />
          {!folded && <span>{t('Collapse')}</span>}
        </button>
      </div>
    </div>
  );
}

/** The same navigation over a narrow page, until a page is chosen or it is closed. */
export function Drawer({ me, onClose }: { me: Me; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { pathname } = useLocation();
  const [openedOn] = useState(pathname);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    if (pathname !== openedOn) onClose();
  }, [pathname, openedOn, onClose]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it, and Escape does too
    <dialog
      ref={dialog}
      aria-label={t('Navigation')}
      onClose={(event) => !event.currentTarget.open && onClose()}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className="m-0 h-dvh max-h-none w-72 max-w-[85vw] border-r border-line bg-side text-ink shadow-float"
    >
      <div className="flex h-full flex-col">
        <div className="flex items-center justify-between pr-2">
          <Brand folded={false} />
          <button
            type="button"
            onClick={onClose}
            aria-label={t('Close the navigation')}
            className="grid size-8 place-items-center rounded-md text-quiet hover:bg-hover hover:text-ink"
          >
            <X size={16} aria-hidden />
          </button>
        </div>
        <Places me={me} folded={false} onChoose={onClose} />
      </div>
    </dialog>
  );
}

function Brand({ folded }: { folded: boolean }) {
  return (
    <Link
      to="/"
      aria-label={t('MCP Gateway & Registry: home')}
      className="m-3 flex h-8 min-w-0 items-center gap-2.5 rounded-md px-1 font-semibold"
    >
      <Mark size={26} />
      {!folded && <span className="truncate">MCP Gateway</span>}
    </Link>
  );
}

function Places({
  me,
  folded,
  brand,
  onChoose,
}: {
  me: Me;
  folded: boolean;
  brand?: ReactNode;
  onChoose?: () => void;
}) {
  const { pathname } = useLocation();
  const here = placeAt(pathname)?.place;
  return (
    <nav aria-label={t('Main')} className="flex min-h-0 flex-1 flex-col">
      {brand}
      <div className="flex-1 overflow-y-auto overscroll-contain px-3 pb-3">
        {placesOf(me).map(({ words, places }) => (
          <section key={words ?? ''} aria-label={words ?? t('Start')} className="mt-4 first:mt-0">
            {words !== null &&
              (folded ? (
                <hr className="mx-2 mb-3 border-line" />
              ) : (
                <h2 className="px-2 pb-1 text-meta font-medium text-quiet">{words}</h2>
              ))}
            <ul className="grid gap-0.5">
              {places.map((place) => (
                <li key={place.to}>
                  <Link
                    to={place.to}
                    onClick={onChoose}
                    aria-current={place === here ? 'page' : undefined}
                    // The link's own idea of the current page knows only its own path.
                    activeProps={{ 'aria-current': place === here ? 'page' : undefined }}
                    title={folded ? place.words : undefined}
                    className="group flex h-8 items-center gap-2.5 rounded-md px-2 font-medium text-quiet hover:bg-hover hover:text-ink aria-[current=page]:bg-chosen aria-[current=page]:text-ink"
                  >
                    <place.icon size={16} aria-hidden className="shrink-0" />
                    <span className={folded ? 'sr-only' : 'truncate'}>{place.words}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </nav>
  );
}

function wasFolded(): boolean {
  try {
    return localStorage.getItem(stored) === 'folded';
  } catch {
    return false;
  }
}
