import { Search as Glass } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { t } from '../../words/words.ts';

/** The search field of a list: filters with every key, `/` goes to it, Escape empties it. */
export function Search({
  things,
  placeholder = t('Name, path or #tag'),
  value,
  onChange,
}: {
  /** What is searched, in the plural. */
  things: string;
  placeholder?: string;
  value: string;
  onChange: (text: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const inField =
        event.target instanceof Element && event.target.closest('input, textarea, select, dialog');
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || inField) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="relative min-w-0 flex-1 basis-52 sm:max-w-sm">
      <Glass size={15} aria-hidden className="pointer-events-none absolute top-2 left-2.5 text-quiet" />
      <input
        ref={field}
        type="search"
        aria-label={t('Search {things}', { things })}
        aria-keyshortcuts="/"
        placeholder={placeholder}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && onChange('')}
        className="h-8 w-full rounded-md border border-edge bg-raised pr-2 pl-8 placeholder:text-quiet"
      />
    </div>
  );
}
