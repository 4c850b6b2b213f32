import type { ReactNode } from 'react';

/** One line of a list of facts: what it is called, and what it is. Stands in a `<dl>`. */
export function Fact({
  name,
  isLong = false,
  children,
}: {
  name: string;
  /** Below its name instead of beside it, such as a URL. */
  isLong?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={`grid min-w-0 gap-x-3 ${isLong ? '' : 'sm:grid-cols-[6.5rem_minmax(0,1fr)]'}`}>
      <dt className="pt-0.5 text-meta text-quiet">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}
