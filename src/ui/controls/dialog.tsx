import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { t } from '../words/words.ts';

/**
 * A modal dialog, open as long as it is rendered. The browser's own element keeps the focus inside, closes on Escape and
 * gives the focus back; it needs no style element, which the content security policy would refuse.
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      // Strict mode closes and opens once more: then the event comes when the dialog is open again.
      onClose={(event) => !event.currentTarget.open && onClose()}
      // Escape. The event of closing comes later, when what opened the dialog may have been pressed again.
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        event.currentTarget.close();
        onClose();
      }}
      className="m-auto w-full max-w-2xl overscroll-contain rounded-lg border border-line bg-raised text-ink shadow-float max-sm:m-0 max-sm:mt-auto max-sm:max-w-full max-sm:rounded-b-[0]"
    >
      <div className="flex items-center justify-between gap-4 border-b border-line py-2 pr-2 pl-5">
        <h2 id={heading} className="text-lead font-semibold">
          {title}
        </h2>
        <button
          type="button"
          onClick={() => {
            dialog.current?.close();
            onClose();
          }}
          aria-label={t('Close')}
          className="grid size-8 place-items-center rounded-md text-quiet hover:bg-hover hover:text-ink"
        >
          <X size={16} aria-hidden />
        </button>
      </div>
      <div className="p-5">{children}</div>
    </dialog>
  );
}
