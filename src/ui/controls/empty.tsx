import { Inbox } from 'lucide-react';
import type { ReactNode } from 'react';

/** What stands where a list has nothing to show: what is missing, and what can be done about it. */
export function Empty({ children }: { children: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-3 rounded-lg border border-dashed border-edge bg-raised px-6 py-10 text-center">
      <Inbox size={24} aria-hidden className="text-quiet" />
      {typeof children === 'string' ? <p className="max-w-prose text-quiet">{children}</p> : children}
    </div>
  );
}
