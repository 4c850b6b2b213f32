import { useMutation } from '@tanstack/react-query';
import { Play, Square } from 'lucide-react';
import { type FormEvent, useId, useMemo, useRef, useState } from 'react';
import type { Server, Tool } from '../api.ts';
import { pageToken } from '../connect/page-token.ts';
import { Button } from '../controls/button.tsx';
import { kindOfTool } from '../controls/fields/tool-choice.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ToolField } from './tool-field.tsx';
import { argumentsOf, type FieldFault, fieldsOf } from './tool-form.ts';
import { ToolResult } from './tool-result.tsx';

/** The form that calls a tool through the gateway as who is signed in, made from the tool's schema; and what it answered. */
export function TryTool({ server, tool }: { server: Server; tool: Tool }) {
  const id = useId();
  const fields = useMemo(() => fieldsOf(tool.inputSchema), [tool]);
  const [faults, setFaults] = useState<readonly FieldFault[]>([]);
  const [progress, setProgress] = useState('');
  const [confirming, setConfirming] = useState(false);
  const isDestructive = kindOfTool(tool) === 'destructive';
  const stop = useRef<AbortController>(null);
  const call = useMutation({
    mutationFn: (args: Record<string, unknown>) => {
      stop.current = new AbortController();
      setProgress('');
      return callOnce(server, tool.name, args, { signal: stop.current.signal, onProgress: setProgress });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (call.isPending) return;
    const form = event.currentTarget;
    const read = argumentsOf(fields, textsOf(new FormData(form), fields.length));
    setFaults(read.faults);
    const [first] = read.faults;
    if (first) form.querySelectorAll<HTMLElement>('[data-field]')[indexOf(fields, first)]?.focus();
    else if (isDestructive && !confirming) setConfirming(true);
    else {
      setConfirming(false);
      call.mutate(read.args);
    }
  };
  // The names of fields are the server's; numbers keep them apart whatever they are.
  const textsOf = (data: FormData, count: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [fields[at]?.name ?? '', String(data.get(`f${at}`) ?? '')]),
    );
  return (
    <form
      noValidate
      onSubmit={submit}
      aria-label={t('Try {name}', { name: tool.name })}
      className="grid gap-3 rounded-md border border-line bg-paper p-3"
    >
      {fields.map((field, at) => (
        <ToolField
          key={field.name}
          field={field}
          name={`f${at}`}
          id={`${id}-${at}`}
          fault={faults.find(({ name }) => name === field.name)?.message}
        />
      ))}
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" look={confirming ? 'danger' : 'primary'} busy={call.isPending}>
          <Play size={15} aria-hidden />
          {call.isPending ? t('Running …') : confirming ? t('Run it anyway') : t('Run')}
        </Button>
        {confirming && <Button onClick={() => setConfirming(false)}>{t('Cancel')}</Button>}
        <span role="alert" className="text-bad">
          {confirming && t('The server says that this tool can destroy data.')}
        </span>
        {call.isPending && (
          <Button onClick={() => stop.current?.abort()}>
            <Square size={14} aria-hidden />
            {t('Stop')}
          </Button>
        )}
        <span role="status" className="text-quiet">
          {call.isPending && progress}
        </span>
      </div>
      {call.error && !call.isPending && <Problem error={call.error} />}
      {call.data && !call.isPending && <ToolResult name={tool.name} {...call.data} />}
    </form>
  );
}

function indexOf(fields: readonly { name: string }[], { name }: FieldFault): number {
  return fields.findIndex((field) => field.name === name);
}

async function callOnce(
  server: Server,
  name: string,
  args: Record<string, unknown>,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (words: string) => void },
) {
  const [{ withServer }, token] = await Promise.all([import('../connect/gateway-client.ts'), pageToken()]);
  return withServer(server, token, async ({ client }) => {
    const begun = performance.now();
    const result = await client.callTool(
      { name, arguments: args },
      {
        signal,
        onprogress: ({ progress, total, message }) =>
          onProgress(
            message ??
              (total === undefined ? String(progress) : t('{progress} of {total}', { progress, total })),
          ),
      },
    );
    return { result, tookMs: Math.round(performance.now() - begun) };
  });
}
