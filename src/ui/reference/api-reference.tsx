import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useDeferredValue } from 'react';
import { meQuery, openApiQuery } from '../api.ts';
import { buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { useUrlText } from '../controls/url-text.ts';
import { Mark } from '../shell/mark.tsx';
import { Shell } from '../shell/shell.tsx';
import { ThemeChoice } from '../shell/theme-choice.tsx';
import { count, parts, t } from '../words/words.ts';
import { ApiOperation } from './api-operation.tsx';
import { type Operation, operationsOf } from './openapi.ts';

/** The API of this gateway to browse, from its own OpenAPI document; open to everybody, as the document is. */
export function ApiReference() {
  const { data: me, isPending } = useQuery({ ...meQuery, retry: 0 });
  const page = (
    <Page
      title="API"
      actions={
        <a href="/openapi.json" download className={buttonClass()}>
          {t('OpenAPI 3.1 document')}
        </a>
      }
    >
      <p className="mb-4 max-w-prose text-quiet">
        {parts(
          'Send an access token of the identity provider or a personal token as {code}. What you may not do is answered with 403, what you may not see with 404; every failure has a code and says what to do.',
          { code: <code className="font-mono text-code">Authorization: Bearer</code> },
        )}
      </p>
      <Operations />
    </Page>
  );
  if (isPending) return null;
  if (me) return <Shell>{page}</Shell>;
  return (
    <>
      <header className="border-b border-line bg-raised">
        <div className="mx-auto flex max-w-7xl items-center justify-between gap-3 px-4 py-2 sm:px-6">
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <Mark />
            <span>MCP Gateway &amp; Registry</span>
          </Link>
          <ThemeChoice />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto max-w-5xl px-4 py-6 outline-none sm:px-6">
        {page}
      </main>
    </>
  );
}

function Operations() {
  const { q: inUrl = '', open } = useSearch({ from: '/docs/api' });
  const navigate = useNavigate({ from: '/docs/api' });
  const { data: document, error, isPending, refetch } = useQuery(openApiQuery);
  const writeQuery = useCallback(
    (q: string) => void navigate({ search: (now) => ({ ...now, q }), replace: true, resetScroll: false }),
    [navigate],
  );
  const toggleOpen = (id: string, isOpen: boolean) =>
    void navigate({
      search: (now) => ({ ...now, open: isOpen ? id : now.open === id ? undefined : now.open }),
      replace: true,
      resetScroll: false,
    });
  const [text, setText] = useUrlText(inUrl, writeQuery);
  const query = useDeferredValue(text);
  if (isPending) return <Pending rows={8} />;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  const all = operationsOf(document);
  const shown = all.filter(({ id, method, path, summary }) =>
    mentions(query, [id, method, path, summary], []),
  );
  const groups = Map.groupBy(shown, ({ tag }) => tag);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search
          things={t('operations')}
          placeholder={t('Path, id or words')}
          value={text}
          onChange={setText}
        />
        <p role="status" className="ml-auto text-quiet">
          {shown.length < all.length
            ? t('{n} of {total} operations', { n: shown.length, total: all.length })
            : count(all.length, '{n} operation', '{n} operations')}
        </p>
      </div>
      {shown.length === 0 && <Empty>{t('No operation matches.')}</Empty>}
      {[...groups].map(([tag, operations]: [string, Operation[]]) => (
        <section key={tag} aria-labelledby={`tag-${tag}`} className="mb-6">
          <h2 id={`tag-${tag}`} className="mb-2 text-lead font-semibold">
            {tag}
          </h2>
          <ul className="rounded-lg border border-line bg-raised">
            {operations.map((operation) => (
              <li key={operation.id} className="border-b border-line last:border-0">
                <ApiOperation
                  operation={operation}
                  document={document}
                  open={open === operation.id}
                  onToggle={toggleOpen}
                />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
