/** The mark of the product: a gate with a way through. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="7" className="fill-ink" />
      <path
        d="M8 25V14a8 8 0 0 1 16 0v11M16 25v-8"
        fill="none"
        strokeWidth="3"
        strokeLinecap="round"
        className="stroke-inverse"
      />
    </svg>
  );
}
