import { type ReactNode, useEffect, useRef, useSyncExternalStore } from 'react';

let opened = 0;
let shownTitle = '';
const listeners = new Set<() => void>();

/** The title of the page that is shown, for the line above it. */
export function usePageTitle(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shownTitle,
  );
}

/** The frame of a page: its title on the tab and as heading, which takes the focus when one page follows another. */
export function Page({
  title,
  before,
  below,
  actions,
  children,
}: {
  title: string;
  /** Beside the title, and in a line below it. */
  before?: ReactNode;
  below?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · MCP Gateway & Registry`;
    shownTitle = title;
    for (const listener of listeners) listener();
    // On the very first page the browser itself starts at the top; taking the focus would skip the skip link.
    if (opened++ > 0) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="flex min-w-0 items-center gap-3">
          {before}
          <div className="min-w-0">
            <h1 ref={heading} tabIndex={-1} className="text-title font-semibold tracking-tight">
              {title}
            </h1>
            {below !== undefined && <p className="text-quiet">{below}</p>}
          </div>
        </div>
        {actions}
      </div>
      {children}
    </>
  );
}
