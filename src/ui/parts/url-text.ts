import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * A text that is typed into a field and kept in the URL: the field follows every key, the URL a quarter of a second after
 * the last, and a change of the URL from elsewhere (a link, the Back button) reaches the field.
 */
export function useUrlText(inUrl: string, write: (text: string) => void) {
  const [text, setText] = useState(inUrl);
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (pending.current === undefined) setText(inUrl);
  }, [inUrl]);
  useEffect(() => () => clearTimeout(pending.current), []);
  const change = useCallback(
    (next: string) => {
      setText(next);
      clearTimeout(pending.current);
      pending.current = setTimeout(() => {
        pending.current = undefined;
        write(next);
      }, 250);
    },
    [write],
  );
  return [text, change] as const;
}
