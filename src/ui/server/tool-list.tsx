import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { ChevronRight, FlaskConical, TriangleAlert } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { type Server, type Tool, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Search } from '../controls/fields/search.tsx';
import { kindOfTool } from '../controls/fields/tool-choice.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { SchemaTable } from '../controls/schema-table.tsx';
import { mentions } from '../controls/text-match.ts';
import { AskAccessButton } from '../requests/ask-access.tsx';
import { count, t } from '../words/words.ts';

const TryTool = lazy(() =>
  import('./try-tool.tsx').then(({ TryTool: component }) => ({ default: component })),
);

/** How many tools are listed before the rest is asked for. */
const firstTools = 100;

/** The tools of a server that the caller can call, each opening to its description and parameters; `?tool=` opens one. */
export function ToolList({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(toolsQuery(server.path));
  const { tool: opened } = useSearch({ strict: false }) as { tool?: string };
  const [text, setText] = useState('');
  const [all, setAll] = useState(false);
  const found = (data?.tools ?? []).filter((tool) =>
    mentions(text, [tool.name, tool.title ?? '', tool.description ?? ''], []),
  );
  const inOrder =
    opened === undefined
      ? found
      : found.toSorted((a, b) => Number(b.name === opened) - Number(a.name === opened));
  return (
    <section aria-label={t('Tools of {name}', { name: server.server_name })} className="grid min-w-0 gap-3">
      {isPending && <Pending />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data?.cached && (
        <p className="flex gap-2 text-quiet">
          <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          <span>
            As last seen{data.fetched_at !== null && <RelativeTimeAfterSpace iso={data.fetched_at} />},
            because the server could not be reached{data.stale_reason !== null && `: ${data.stale_reason}`}.
          </span>
        </p>
      )}
      {data?.tools.length === 0 && (
        <div className="grid justify-items-start gap-3 rounded-lg border border-line bg-raised p-6">
          <p className="text-quiet">{t('It has no tool that you can call.')}</p>
          <AskAccessButton path={server.path} name={server.server_name} />
        </div>
      )}
      {data && data.tools.length > 5 && (
        <div className="flex flex-wrap items-center gap-3">
          <Search
            things={t('tools')}
            placeholder={t('Name or description')}
            value={text}
            onChange={setText}
          />
          <p role="status" className="text-quiet">
            {count(found.length, '{n} tool', '{n} tools')}
          </p>
        </div>
      )}
      {found.length > 0 && (
        <ul className="overflow-hidden rounded-lg border border-line bg-raised">
          {inOrder.slice(0, all ? undefined : firstTools).map((tool) => (
            <li
              key={tool.name}
              className="border-b border-line [contain-intrinsic-size:auto_2.5rem] [content-visibility:auto] last:border-0"
            >
              <ToolEntry server={server} tool={tool} startsOpen={tool.name === opened} />
            </li>
          ))}
        </ul>
      )}
      {!all && found.length > firstTools && (
        <div>
          <Button onClick={() => setAll(true)}>
            {count(found.length - firstTools, 'Show {n} more tool', 'Show {n} more tools')}
          </Button>
        </div>
      )}
    </section>
  );
}

function RelativeTimeAfterSpace({ iso }: { iso: string }) {
  return (
    <>
      {' '}
      <RelativeTime iso={iso} />
    </>
  );
}

function ToolEntry({ server, tool, startsOpen }: { server: Server; tool: Tool; startsOpen: boolean }) {
  const [trying, setTrying] = useState(false);
  return (
    <details className="group" open={startsOpen}>
      <summary className="flex items-start gap-2 px-3 py-2 hover:bg-hover">
        <ChevronRight
          size={15}
          aria-hidden
          className="mt-0.5 shrink-0 text-quiet motion-safe:transition-transform group-open:rotate-90"
        />
        <span className="min-w-0 gap-x-3 sm:flex">
          <code className="shrink-0 font-mono text-code font-semibold">{tool.name}</code>
          <ToolMark tool={tool} />
          {tool.description && (
            <span className="block truncate text-quiet group-open:hidden">{tool.description}</span>
          )}
        </span>
      </summary>
      <div className="grid gap-3 px-3 pt-1 pb-3 pl-9">
        {tool.description && <p className="whitespace-pre-line">{tool.description}</p>}
        <SchemaTable schema={tool.inputSchema} caption={`Parameters of ${tool.name}`} />
        {trying ? (
          <Suspense fallback={<Pending />}>
            <TryTool server={server} tool={tool} />
          </Suspense>
        ) : (
          <div>
            <Button aria-label={`Try it: ${tool.name}`} onClick={() => setTrying(true)}>
              <FlaskConical size={15} aria-hidden />
              Try it
            </Button>
          </div>
        )}
      </div>
    </details>
  );
}

/** Marks a tool that its server says only reads, or may destroy something. */
function ToolMark({ tool }: { tool: Tool }) {
  const kind = kindOfTool(tool);
  if (kind === 'other') return null;
  return (
    <span
      className={`ml-1.5 shrink-0 self-center rounded-sm px-1.5 text-meta ${kind === 'destructive' ? 'bg-bad-soft text-bad' : 'bg-good-soft text-good'}`}
    >
      {kind === 'destructive' ? t('Destructive') : t('Read-only')}
    </span>
  );
}
