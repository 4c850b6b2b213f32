import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ExplainedCall, type Explanation } from './explained-call.tsx';
import { subjectOf, WhoFields } from './who-fields.tsx';

const methods = [
  'tools/call',
  'tools/list',
  'prompts/get',
  'prompts/list',
  'resources/read',
  'resources/subscribe',
  'resources/list',
  'resources/templates/list',
  'initialize',
  'ping',
] as const;

/** What a method is about, by the method; the others are about nothing. */
const subjects: Readonly<Record<string, 'tool' | 'prompt' | 'resource'>> = {
  'tools/call': 'tool',
  'prompts/get': 'prompt',
  'resources/read': 'resource',
  'resources/subscribe': 'resource',
};

const empty = { by: 'username', who: '', server: '', method: 'tools/call', item: '', client: '' };
type Asked = typeof empty;

/** Asks what the gateway would decide on a call, by the same decision that the call would meet, and shows why. */
export function ExplainCall() {
  const { who, server, method, item } = useSearch({ from: '/signed-in/access' });
  const given = { ...empty, ...(who && { who }), ...(server && { server }), ...(item && { item }) };
  const [asked, setAsked] = useState<Asked>({
    ...given,
    method: methods.find((one) => one === method) ?? empty.method,
  });
  const explain = useMutation({
    mutationFn: (call: Asked): Promise<Explanation> => api('access.explain', { body: bodyOf(call) }),
  });
  // A link from a refusal brings the whole question: then it is answered at once.
  const start = useRef(who !== undefined && server !== undefined ? asked : undefined);
  const { mutate } = explain;
  useEffect(() => {
    if (start.current) mutate(start.current);
    start.current = undefined;
  }, [mutate]);
  const change = (changed: Partial<Asked>) => {
    setAsked({ ...asked, ...changed });
    // An answer beside another question would be read as the answer to it.
    explain.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!explain.isPending) explain.mutate(asked);
  };
  return (
    <section aria-labelledby="explain" className="grid gap-3 rounded-lg border border-line bg-raised p-4">
      <h2 id="explain" className="text-lead font-semibold">
        {t('Why is a call allowed or denied?')}
      </h2>
      <form onSubmit={submit} className="grid items-start gap-3 sm:grid-cols-2 lg:grid-cols-3">
        <Question asked={asked} change={change} />
        <div className="sm:col-span-2 lg:col-span-3">
          <Button type="submit" look="primary" busy={explain.isPending}>
            {t('Explain')}
          </Button>
        </div>
      </form>
      {explain.error && <Problem error={explain.error} />}
      {explain.data && (
        <ExplainedCall
          explanation={explain.data}
          server={explain.variables.server.trim().replace(/^\/+|\/+$/g, '')}
        />
      )}
    </section>
  );
}

function Question({ asked, change }: { asked: Asked; change: (changed: Partial<Asked>) => void }) {
  const subject = subjects[asked.method];
  return (
    <>
      <WhoFields asked={asked} change={change} />
      <TextField
        label={t('Server')}
        value={asked.server}
        placeholder="currenttime"
        onChange={(server) => change({ server })}
      />
      <TextField
        label={t('Method')}
        value={asked.method}
        options={methods.map((method) => [method, method])}
        onChange={(method) => change({ method, item: '' })}
      />
      {subject && (
        <TextField
          label={{ tool: t('Tool'), prompt: t('Prompt'), resource: t('Resource URI') }[subject]}
          value={asked.item}
          onChange={(item) => change({ item })}
        />
      )}
      <TextField
        label={t('Program (optional)')}
        value={asked.client}
        placeholder="claude-code"
        onChange={(client) => change({ client })}
      />
    </>
  );
}

function bodyOf({ by, who, server, method, item, client }: Asked) {
  const subject = subjects[method];
  const name = item.trim();
  return {
    ...subjectOf({ by, who }),
    ...{ server: server.trim(), method },
    ...(subject && name !== '' ? { [subject]: name } : {}),
    ...(client.trim() !== '' ? { client: client.trim() } : {}),
  };
}
