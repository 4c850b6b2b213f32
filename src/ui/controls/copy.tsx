import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { t } from '../words/words.ts';
import { Button } from './button.tsx';

/** Puts text on the clipboard; falls back to the old way where the new one is kept from plain http pages. */
async function copy(text: string, near: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Inside an open dialog everything outside is inert, so the text must be selected near the button.
    const area = document.createElement('textarea');
    area.className = 'sr-only';
    area.value = text;
    near.after(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

function useCopy(text: string) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const start = async (near: HTMLElement) => {
    setState((await copy(text, near)) ? 'copied' : 'failed');
    near.focus();
  };
  const words = { idle: '', copied: t('Copied'), failed: t('Copying failed: select the text and copy it') }[
    state
  ];
  return { state, words, start };
}

/** A button that copies `text` and says so for two seconds. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { state, words, start } = useCopy(text);
  return (
    <>
      <Button onClick={(event) => void start(event.currentTarget)}>
        {state === 'copied' ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
        {words || label}
      </Button>
      <span role="status" className="sr-only">
        {words}
      </span>
    </>
  );
}

/** A piece of machine text (a URL, an id) with a button that copies it. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const { state, words, start } = useCopy(text);
  return (
    <span className="inline-flex min-w-0 max-w-full items-center rounded-sm border border-line bg-sunken">
      <code className="min-w-0 px-2 py-1 font-mono text-code">{text}</code>
      <button
        type="button"
        aria-label={label}
        title={label}
        onClick={(event) => void start(event.currentTarget)}
        className="grid size-7 shrink-0 place-items-center self-stretch text-quiet hover:text-ink"
      >
        {state === 'copied' ? (
          <Check size={14} aria-hidden className="text-good" />
        ) : (
          <Copy size={14} aria-hidden />
        )}
      </button>
      <span role="status" className="sr-only">
        {words}
      </span>
    </span>
  );
}
