import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../words/words.ts';
import { Markdown } from './markdown.tsx';

/** What is said about a server or an agent, as Markdown; in words where nothing is. */
export function Description({ text }: { text: string }) {
  return text ? (
    <div className="max-w-prose">
      <Markdown text={text} />
    </div>
  ) : (
    <p className="text-quiet">{t('No description')}</p>
  );
}

/** The tags of a server or an agent, each a link to the list of what has it; `before` are further items of that list. */
export function TagLinks({
  to,
  tags,
  before,
}: {
  to: '/servers' | '/agents';
  tags: readonly string[];
  before?: ReactNode;
}) {
  return (
    <ul aria-label={t('Tags')} className="flex flex-wrap gap-1">
      {before}
      {tags.map((tag) => (
        <li key={tag}>
          <Link
            to={to}
            search={{ q: `#${tag}` }}
            className="inline-flex min-h-6 items-center rounded-sm bg-sunken px-1.5 text-meta break-all text-quiet hover:text-ink"
          >
            #{tag}
          </Link>
        </li>
      ))}
    </ul>
  );
}
