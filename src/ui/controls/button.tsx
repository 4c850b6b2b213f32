import type { ComponentProps } from 'react';

const looks = {
  primary: 'border-ink bg-ink text-inverse hover:opacity-85',
  plain: 'border-edge bg-raised text-ink hover:bg-hover',
  quiet: 'border-transparent text-quiet hover:bg-hover hover:text-ink',
  danger: 'border-bad bg-bad text-inverse hover:opacity-85',
} as const;

/** The classes of a button, for the link that looks like one. */
export function buttonClass(look: keyof typeof looks = 'plain', extra = ''): string {
  return `inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md border px-3 font-medium whitespace-nowrap motion-safe:transition-colors disabled:cursor-not-allowed disabled:opacity-60 aria-disabled:cursor-progress aria-disabled:opacity-60 ${looks[look]} ${extra}`;
}

/**
 * A button. While `busy` it keeps its focus and its place but does nothing, because a disabled button would drop the
 * focus of somebody at a keyboard.
 */
export function Button({
  look = 'plain',
  busy = false,
  className = '',
  onClick,
  ...rest
}: ComponentProps<'button'> & { look?: keyof typeof looks; busy?: boolean }) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={buttonClass(look, className)}
    />
  );
}
