import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { t } from '../words/words.ts';

/** What a tool answered, as far as it is looked at: it comes from a foreign server. */
interface Result {
  readonly content?: unknown;
  readonly structuredContent?: unknown;
  readonly isError?: unknown;
}

/** Formats that a browser only paints; SVG is left out, although it could do nothing in an image. */
const pictures = /^image\/(png|jpeg|gif|webp)$/;

/** What a tool answered: texts as text, pictures as pictures, everything else as JSON. Nothing of it is run or fetched. */
export function ToolResult({ name, result, tookMs }: { name: string; result: Result; tookMs: number }) {
  const parts = Array.isArray(result.content) ? (result.content as unknown[]) : [];
  return (
    <section aria-label={t('Answer of {name}', { name })} className="grid min-w-0 gap-2">
      <p role="status" className={result.isError === true ? 'flex gap-1.5 text-bad' : 'text-quiet'}>
        {result.isError === true && <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0" />}
        {result.isError === true
          ? t('The tool reports an error after {ms} ms.', { ms: tookMs })
          : t('Answered after {ms} ms.', { ms: tookMs })}
      </p>
      {parts.map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an answer never changes
        <Part key={at} part={part} />
      ))}
      {result.structuredContent !== undefined && (
        <Text label={t('Structured')}>{JSON.stringify(result.structuredContent, null, 2)}</Text>
      )}
    </section>
  );
}

function Part({ part }: { part: unknown }) {
  const { type, text, data, mimeType } = (part ?? {}) as Record<string, unknown>;
  if (type === 'text' && typeof text === 'string') return <Text label={t('Text')}>{text}</Text>;
  if (type === 'image' && typeof data === 'string' && typeof mimeType === 'string' && pictures.test(mimeType))
    return (
      <img
        src={`data:${mimeType};base64,${data}`}
        alt={t('Answer of the tool')}
        className="max-h-96 max-w-full justify-self-start rounded-md border border-line"
      />
    );
  return <Text label={typeof type === 'string' ? type : t('Other')}>{JSON.stringify(part, null, 2)}</Text>;
}

function Text({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      className="max-h-80 overflow-auto rounded-md border border-line bg-sunken p-3"
    >
      <pre className="font-mono text-code break-all whitespace-pre-wrap">{children}</pre>
    </section>
  );
}
