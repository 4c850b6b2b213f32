import { ChevronRight } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { CopyButton } from '../controls/copy.tsx';
import { SchemaTable } from '../controls/schema-table.tsx';
import { parts, t } from '../words/words.ts';
import type { Answer, Operation, Part } from './openapi.ts';

/** One operation of the API, which opens to who may call it, what it takes, what it answers and a call to copy. */
export function ApiOperation({
  operation,
  document,
  open,
  onToggle,
}: {
  operation: Operation;
  document: Part;
  open: boolean;
  onToggle: (id: string, open: boolean) => void;
}) {
  const { id, method, path, summary } = operation;
  const entry = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    // Only where the address led here: whoever opens one by hand sees it already.
    if (open && entry.current && !entry.current.contains(window.document.activeElement))
      entry.current.scrollIntoView({ block: 'nearest' });
  }, [open]);
  return (
    <details
      ref={entry}
      open={open}
      onToggle={(event) => event.currentTarget.open !== open && onToggle(id, event.currentTarget.open)}
      className="group"
    >
      <summary className="flex items-start gap-2 px-3 py-2 hover:bg-hover">
        <ChevronRight
          size={15}
          aria-hidden
          className="mt-0.5 shrink-0 text-quiet motion-safe:transition-transform group-open:rotate-90"
        />
        <span className="min-w-0 flex-1 gap-x-3 sm:flex">
          <span className="flex min-w-0 shrink-0 gap-x-2 font-mono text-code sm:w-96">
            <span className="w-14 shrink-0 font-semibold">{method}</span>
            <span className="min-w-0 break-words">{path}</span>
          </span>
          <span className="block text-quiet">{summary}</span>
        </span>
      </summary>
      {open && <Details operation={operation} document={document} />}
    </details>
  );
}

function Details({ operation, document }: { operation: Operation; document: Part }) {
  const { id, description, parameters, conditional, body, answers } = operation;
  const takes = Object.keys(parameters.properties as object).length > 0;
  return (
    <div className="grid gap-4 px-3 pt-1 pb-4 sm:pl-9">
      <p>{plain(description)}</p>
      {takes && (
        <Section title={t('Parameters')}>
          <SchemaTable
            silent
            schema={parameters}
            document={document}
            caption={t('Parameters of {id}', { id })}
          />
        </Section>
      )}
      {conditional && (
        <p className="text-quiet">
          {parts('Honours {code}: a change meant for another revision is refused with 412.', {
            code: <code className="font-mono text-code">If-Match</code>,
          })}
        </p>
      )}
      {body && (
        <Section title={t('Body')}>
          <SchemaTable
            silent
            head={t('Member')}
            schema={body}
            document={document}
            caption={t('Body of {id}', { id })}
            none={meaningOf(body)}
          />
        </Section>
      )}
      {answers
        .filter(({ status }) => status < '400')
        .map((answer) => (
          <Success key={answer.status} answer={answer} document={document} of={id} />
        ))}
      <Section title={t('Failures')}>
        <ul className="grid gap-1">
          {answers
            .filter(({ status }) => status >= '400')
            .map(({ status, description: meaning }) => (
              <li key={status} className="flex gap-3">
                <code className="font-mono text-code font-semibold">{status}</code>
                <span className="min-w-0 text-quiet">{plain(meaning)}</span>
              </li>
            ))}
        </ul>
      </Section>
      <div>
        <CopyButton text={curlOf(operation)} label={t('Copy as curl')} />
      </div>
    </div>
  );
}

function Success({ answer, document, of }: { answer: Answer; document: Part; of: string }) {
  const { status, media, schema, description } = answer;
  return (
    <Section title={t('Answer {status}', { status })}>
      {schema ? (
        <SchemaTable
          silent
          head={t('Member')}
          schema={schema}
          document={document}
          caption={t('Answer of {of}', { of })}
          none={t('Any JSON value.')}
        />
      ) : (
        <p className="text-quiet">{media.length > 0 ? media.join(t(' or ')) : description}</p>
      )}
    </Section>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0">
      <h3 className="mb-1 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

/** A call of the operation for a POSIX shell; the token is read from a variable, so that it is not in the history. */
function curlOf({ method, path, body }: Operation): string {
  const sent = body ? ` \\\n  -H 'Content-Type: application/json' \\\n  -d @body.json` : '';
  const request = method === 'GET' ? '' : `-X ${method} `;
  return `curl ${request}'${location.origin}${path}' \\\n  -H "Authorization: Bearer $TOKEN"${sent}`;
}

function meaningOf({ description }: Part): string {
  return typeof description === 'string' ? description : t('Any JSON value.');
}

/** The document marks names as Markdown does; here they are text. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
