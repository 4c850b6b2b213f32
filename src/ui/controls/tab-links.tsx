import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../words/words.ts';

/** A part of a page with an address of its own. */
export interface Tab {
  /** What `?tab=` is; empty for the first. */
  readonly name: string;
  readonly words: string;
  /** How much there is, where that is known. */
  readonly count?: number | undefined;
}

/** Links to the parts of a page; the one that is shown is marked. */
export function TabLinks({ tabs, current }: { tabs: readonly Tab[]; current: string }): ReactNode {
  return (
    <nav aria-label={t('Parts of this page')} className="-mx-1 mb-5 overflow-x-auto px-1">
      <ul className="flex min-w-full w-max gap-5 border-b border-line">
        {tabs.map(({ name, words, count }) => (
          <li key={name}>
            <Link
              to="."
              search={{ tab: name || undefined } as never}
              replace
              resetScroll={false}
              aria-current={name === current ? 'page' : undefined}
              // Unless told so, the link without a tab counts as current beside every other.
              activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }}
              className="relative flex h-9 items-center gap-1.5 font-medium whitespace-nowrap text-quiet hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-0 aria-[current=page]:after:-bottom-px aria-[current=page]:after:h-0.5 aria-[current=page]:after:bg-ink"
            >
              {words}
              {count !== undefined && (
                <span className="rounded-sm bg-chosen px-1.5 text-meta font-normal text-ink">{count}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
