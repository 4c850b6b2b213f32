import { useQuery } from '@tanstack/react-query';
import { ChevronRight, FlaskConical, TriangleAlert } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { type Server, type Tool, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { SchemaTable } from '../controls/schema-table.tsx';

const TryTool = lazy(() =>
  import('./try-tool.tsx').then(({ TryTool: component }) => ({ default: component })),
);

/** The tools of a server that the caller may call, each opening to its description and parameters. */
export function ToolList({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(toolsQuery(server.path));
  return (
    <section aria-label={`Tools of ${server.server_name}`} className="min-w-0">
      <h3 className="mb-1.5 font-semibold">
        Tools {data && <span className="font-normal text-quiet">{data.tools.length}</span>}
      </h3>
      {isPending && <Pending />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data?.cached && (
        <p className="mb-2 flex gap-2 text-quiet">
          <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          <span>
            As last seen{data.fetched_at !== null && <RelativeTimeAfterSpace iso={data.fetched_at} />},
            because the server could not be asked{data.stale_reason !== null && `: ${data.stale_reason}`}.
          </span>
        </p>
      )}
      {data?.tools.length === 0 && <p className="text-quiet">It offers no tool that you may call.</p>}
      {data && data.tools.length > 0 && (
        <ul className="rounded-md border border-line bg-raised">
          {data.tools.map((tool) => (
            <li key={tool.name} className="border-b border-line last:border-0">
              <ToolEntry server={server} tool={tool} />
            </li>
          ))}
        </ul>
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

function ToolEntry({ server, tool }: { server: Server; tool: Tool }) {
  const [trying, setTrying] = useState(false);
  return (
    <details className="group">
      <summary className="flex items-start gap-2 px-3 py-2 hover:bg-hover">
        <ChevronRight
          size={15}
          aria-hidden
          className="mt-0.5 shrink-0 text-quiet motion-safe:transition-transform group-open:rotate-90"
        />
        <span className="min-w-0 gap-x-3 sm:flex">
          <code className="shrink-0 font-mono text-code font-semibold">{tool.name}</code>
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
