import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { ChevronRight, FlaskConical, TriangleAlert } from 'lucide-react';
import { type KeyboardEvent, lazy, Suspense, useCallback, useDeferredValue, useMemo, useState } from 'react';
import { flushSync } from 'react-dom';
import { type Server, type Tool, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { kindOfTool } from '../controls/fields/tool-choice.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { useRows } from '../controls/rows.ts';
import { SchemaTable } from '../controls/schema-table.tsx';
import { mentions } from '../controls/text-match.ts';
import { AskAccessButton } from '../requests/ask-access.tsx';
import { count, parts, t } from '../words/words.ts';

const TryTool = lazy(() =>
  import('./try-tool.tsx').then(({ TryTool: component }) => ({ default: component })),
);

/** How many tools are drawn at once; of more, only those near the screen. */
const most = 60;

/** The tools of a server that the caller can call, each opening to its description and parameters; `?tool=` opens one. */
export function ToolList({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery(toolsQuery(server.path));
  const { tool: opened } = useSearch({ strict: false }) as { tool?: string };
  const [text, setText] = useState('');
  const query = useDeferredValue(text);
  const found = useMemo(() => {
    const tools = (data?.tools ?? []).filter((tool) =>
      mentions(query, [tool.name, tool.title ?? '', tool.description ?? ''], []),
    );
    return opened === undefined
      ? tools
      : tools.toSorted((a, b) => Number(b.name === opened) - Number(a.name === opened));
  }, [data, query, opened]);
  return (
    <section aria-label={t('Tools of {name}', { name: server.server_name })} className="grid min-w-0 gap-3">
      {isPending && <Pending />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data?.cached && (
        <p className="flex gap-2 text-quiet">
          <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
          <span>
            {data.fetched_at === null
              ? t('As last seen, because the server could not be reached.')
              : parts('As last seen {time}, because the server could not be reached.', {
                  time: <RelativeTime iso={data.fetched_at} />,
                })}
            {data.stale_reason !== null && ` ${data.stale_reason}.`}
          </span>
        </p>
      )}
      {data?.tools.length === 0 && (
        <Empty>
          <p className="text-quiet">{t('It has no tool that you can call.')}</p>
          <AskAccessButton path={server.path} name={server.server_name} />
        </Empty>
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
      {found.length > 0 && <Entries key={opened} server={server} tools={found} opened={opened} />}
    </section>
  );
}

function Entries({
  server,
  tools,
  opened,
}: {
  server: Server;
  tools: readonly Tool[];
  opened: string | undefined;
}) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(opened === undefined ? [] : [opened]));
  const [focused, setFocused] = useState<string>();
  const isLong = tools.length > most;
  const kept = useMemo(
    () => tools.flatMap(({ name }, index) => (isLong && (name === focused || open.has(name)) ? [index] : [])),
    [tools, isLong, focused, open],
  );
  const keyOf = useCallback((index: number) => tools[index]?.name ?? String(index), [tools]);
  const { list, virtual } = useRows<HTMLUListElement>(isLong ? tools.length : 0, 37, kept, keyOf);
  const entry = (tool: Tool) => (
    <ToolEntry
      server={server}
      tool={tool}
      open={open.has(tool.name)}
      onToggle={(isOpen) =>
        setOpen((now) => {
          if (now.has(tool.name) === isOpen) return now;
          return new Set(isOpen ? [...now, tool.name] : [...now].filter((one) => one !== tool.name));
        })
      }
    />
  );
  /** Moves between the tools; Tab does too, but stops at everything in an open one. */
  const move = (event: KeyboardEvent<HTMLUListElement>) => {
    const at = tools.findIndex(({ name }) => name === focused);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: tools.length - 1 }[event.key];
    if (to === undefined || !(event.target instanceof HTMLElement) || event.target.tagName !== 'SUMMARY')
      return;
    const next = tools[to];
    if (!next) return;
    event.preventDefault();
    // Once it is kept, it is drawn, and can have the focus.
    flushSync(() => setFocused(next.name));
    const row = list.current?.querySelector<HTMLElement>(`[data-tool="${CSS.escape(next.name)}"] summary`);
    row?.focus({ preventScroll: isLong });
    if (isLong) virtual.scrollToIndex(to);
  };
  return (
    <ul
      ref={list}
      aria-label={t('Tools')}
      onKeyDown={move}
      onFocus={({ target }) => setFocused(target.closest<HTMLElement>('[data-tool]')?.dataset.tool)}
      className="relative overflow-hidden rounded-lg border border-line bg-raised"
      style={isLong ? { height: virtual.getTotalSize() } : undefined}
    >
      {isLong
        ? virtual.getVirtualItems().map(({ key, index, start }) => {
            const tool = tools[index];
            return tool ? (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                data-tool={tool.name}
                aria-posinset={index + 1}
                aria-setsize={tools.length}
                className="absolute inset-x-0 top-0 border-b border-line"
                style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
              >
                {entry(tool)}
              </li>
            ) : null;
          })
        : tools.map((tool) => (
            <li key={tool.name} data-tool={tool.name} className="border-b border-line last:border-0">
              {entry(tool)}
            </li>
          ))}
    </ul>
  );
}

function ToolEntry({
  server,
  tool,
  open,
  onToggle,
}: {
  server: Server;
  tool: Tool;
  open: boolean;
  onToggle: (isOpen: boolean) => void;
}) {
  const [trying, setTrying] = useState(false);
  return (
    <details
      className="group"
      open={open}
      onToggle={({ target, currentTarget }) => target === currentTarget && onToggle(currentTarget.open)}
    >
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
      {open && (
        <div className="grid gap-3 px-3 pt-1 pb-3 pl-9">
          {tool.description && <p className="whitespace-pre-line">{tool.description}</p>}
          <SchemaTable schema={tool.inputSchema} caption={t('Parameters of {name}', { name: tool.name })} />
          {trying ? (
            <Suspense fallback={<Pending />}>
              <TryTool server={server} tool={tool} />
            </Suspense>
          ) : (
            <div>
              <Button aria-label={t('Try it: {name}', { name: tool.name })} onClick={() => setTrying(true)}>
                <FlaskConical size={15} aria-hidden />
                {t('Try it')}
              </Button>
            </div>
          )}
        </div>
      )}
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
