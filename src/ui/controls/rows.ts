import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState } from 'react';

/**
 * The rows of a long list that scrolls with the page: only those near the screen are drawn, and those of `kept`, by index,
 * wherever they are (what has the focus or is open must not vanish). `estimate` is the height of a row in pixels.
 */
export function useRows<E extends HTMLElement>(
  count: number,
  estimate: number,
  kept: readonly number[] = [],
  keyOf?: (index: number) => string,
) {
  const list = useRef<E>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const element = list.current;
    if (element) setMargin(element.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => estimate,
    // About half a screen beyond what is seen: every row more is drawn again with each key of a filter.
    overscan: Math.min(8, Math.ceil(500 / estimate)),
    scrollMargin: margin,
    rangeExtractor: (range) =>
      kept.length === 0
        ? defaultRangeExtractor(range)
        : [...new Set([...defaultRangeExtractor(range), ...kept.filter((index) => index < count)])].sort(
            (a, b) => a - b,
          ),
    ...(keyOf ? { getItemKey: keyOf } : {}),
  });
  return { list, virtual };
}
