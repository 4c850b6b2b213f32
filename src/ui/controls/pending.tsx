import { t } from '../words/words.ts';
/** Grey bars where text will be; says "Loading" to a screen reader once. */
export function Pending({ rows = 3 }: { rows?: number }) {
  return (
    <div role="status" data-pending className="grid gap-3 py-4">
      <span className="sr-only">{t('Loading')}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike and never move
        <span key={row} className="h-4 motion-safe:animate-pulse rounded-sm bg-line" />
      ))}
    </div>
  );
}
