import { type ReactNode, useId } from 'react';
import type { Tool } from '../../api.ts';
import { t } from '../../words/words.ts';

/** What a tool does, as its server says in the annotations (MCP `ToolAnnotations`): a hint, never a guarantee. */
export type ToolKind = 'read-only' | 'destructive' | 'other';

/** The kind of a tool. A server that says nothing leaves it open: the default of the specification is a guess too. */
export function kindOfTool(tool: Tool): ToolKind {
  const { annotations } = tool as { annotations?: { readOnlyHint?: unknown; destructiveHint?: unknown } };
  if (annotations?.readOnlyHint === true) return 'read-only';
  return annotations?.destructiveHint === true ? 'destructive' : 'other';
}

const kinds: readonly (readonly [ToolKind, string])[] = [
  ['read-only', t('Read-only')],
  ['other', t('May change things')],
  ['destructive', t('Destructive')],
];

/** Which tools of a server: every one (null), or those that are ticked, by what they do. */
export function ToolChoice({
  tools,
  chosen,
  onChange,
  none,
}: {
  tools: readonly Tool[];
  chosen: readonly string[] | null;
  onChange: (tools: readonly string[] | null) => void;
  /** Instead of the tools where none is known. */
  none?: ReactNode;
}) {
  const name = useId();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 font-medium">{t('What')}</legend>
      <div className="flex flex-wrap gap-x-6 gap-y-1">
        <label className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={chosen !== null}
            onChange={() => onChange([])}
            className="size-4 accent-accent"
          />
          {t('Only these tools')}
        </label>
        <label className="flex items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={chosen === null}
            onChange={() => onChange(null)}
            className="size-4 accent-accent"
          />
          {t('Every tool, including new ones')}
        </label>
      </div>
      {chosen !== null &&
        tools.length === 0 &&
        (none ?? <p className="text-quiet">{t('The server has no tool that is known here.')}</p>)}
      {chosen !== null && tools.length > 0 && (
        <div className="grid max-h-72 gap-3 overflow-y-auto rounded-md border border-line p-3">
          {kinds.map(([kind, words]) => {
            const these = tools.filter((tool) => kindOfTool(tool) === kind).map((tool) => tool.name);
            if (these.length === 0) return null;
            const all = these.every((tool) => chosen.includes(tool));
            return (
              <fieldset key={kind} className="grid gap-1">
                <legend className="flex items-center gap-2 text-meta font-medium text-quiet">
                  {words}
                  <button
                    type="button"
                    className="rounded-sm underline underline-offset-4"
                    onClick={() =>
                      onChange(
                        all
                          ? chosen.filter((tool) => !these.includes(tool))
                          : [...new Set([...chosen, ...these])],
                      )
                    }
                  >
                    {all ? t('Clear') : t('Select all {n}', { n: these.length })}
                  </button>
                </legend>
                {these.map((tool) => (
                  <label key={tool} className="flex min-h-6 items-center gap-2">
                    <input
                      type="checkbox"
                      checked={chosen.includes(tool)}
                      onChange={(event) =>
                        onChange(
                          event.currentTarget.checked
                            ? [...chosen, tool]
                            : chosen.filter((one) => one !== tool),
                        )
                      }
                      className="size-4 shrink-0 accent-accent"
                    />
                    <code className="font-mono text-code">{tool}</code>
                  </label>
                ))}
              </fieldset>
            );
          })}
        </div>
      )}
    </fieldset>
  );
}
