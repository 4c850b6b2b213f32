import { Outlet } from '@tanstack/react-router';
import { Toasts } from '../controls/toasts.tsx';

/** What every page has: a way past the header, the page, the announcements. */
export function Root() {
  return (
    <>
      <a
        href="#main"
        className="absolute top-2 left-2 z-50 -translate-y-20 rounded-md bg-ink px-3 py-1.5 font-medium text-inverse focus:translate-y-0"
      >
        Skip to the content
      </a>
      <Outlet />
      <Toasts />
    </>
  );
}
