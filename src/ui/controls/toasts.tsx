import { CircleCheck, CircleX, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { t } from '../words/words.ts';

interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
  readonly action?: ToastAction | undefined;
}

/** What can be done about what was announced, such as to undo it. */
export interface ToastAction {
  readonly words: string;
  readonly run: () => void;
  /** What it is about: an announcement about the same thing takes the place of this one, whose action is out of date then. */
  readonly about?: string;
}

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Tells of something done, for 5 s (15 s where it can be undone), or failed, until dismissed; a screen reader speaks it. */
export function announce(kind: Toast['kind'], text: string, action?: ToastAction): void {
  const id = ++lastId;
  const about = action?.about;
  const others = toasts.filter((toast) => about === undefined || toast.action?.about !== about);
  set([...others.slice(-3), { id, kind, text, action }]);
  if (kind === 'done') setTimeout(() => dismiss(id), action ? 15_000 : 5000);
}

/** Where announcements appear; its two live regions are always on the page, or their first words would go unheard. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  const of = (kind: Toast['kind']) =>
    shown.filter((toast) => toast.kind === kind).map((toast) => <Card key={toast.id} toast={toast} />);
  return (
    <section
      aria-label={t('Announcements')}
      className="pointer-events-none fixed right-4 bottom-4 left-4 z-50 grid justify-items-end gap-2"
    >
      <div role="alert" className="grid justify-items-end gap-2">
        {of('failed')}
      </div>
      <div role="status" className="grid justify-items-end gap-2">
        {of('done')}
      </div>
    </section>
  );
}

function Card({ toast }: { toast: Toast }) {
  const Icon = toast.kind === 'done' ? CircleCheck : CircleX;
  return (
    <div className="pointer-events-auto flex max-w-sm items-start gap-2 rounded-md border border-line bg-raised p-2 pl-3 shadow-float">
      <Icon
        size={16}
        aria-hidden
        className={`mt-1 shrink-0 ${toast.kind === 'done' ? 'text-good' : 'text-bad'}`}
      />
      <p className="min-w-0 py-0.5 break-words whitespace-pre-line">{toast.text}</p>
      {toast.action && (
        <button
          type="button"
          onClick={() => {
            dismiss(toast.id);
            toast.action?.run();
          }}
          className="min-h-6 shrink-0 rounded-sm px-1.5 font-medium underline underline-offset-4 hover:bg-hover"
        >
          {toast.action.words}
        </button>
      )}
      <button
        type="button"
        onClick={() => dismiss(toast.id)}
        aria-label={t('Dismiss')}
        className="grid size-6 shrink-0 place-items-center rounded-sm text-quiet hover:text-ink"
      >
        <X size={14} aria-hidden />
      </button>
    </div>
  );
}
