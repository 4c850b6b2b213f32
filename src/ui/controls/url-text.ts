import { useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * A text that is typed into a field and kept in the URL: the field follows every key, the URL a quarter of a second after
 * the last, and a change of the URL from elsewhere (a link, the Back button) reaches the field.
 */
export function useUrlText(inUrl: string, write: (text: string) => void) {
  const router = useRouter();
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
        // Somebody who already follows a link elsewhere must not be called back.
        if (router.latestLocation.pathname === router.state.resolvedLocation?.pathname) write(next);
      }, 250);
    },
    [router, write],
  );
  return [text, change] as const;
}
