import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, toolsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { ToolChoice } from '../controls/fields/tool-choice.tsx';
import { forgetSave } from '../controls/fields/use-draft.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { count, t } from '../words/words.ts';
import { type AccessRequest, requestsKey } from './requests-query.ts';

/** How long access can be given for, in hours; empty: without an end. */
const lengths: readonly (readonly [string, string])[] = [
  ['1', t('1 hour')],
  ['8', t('8 hours')],
  ['24', t('1 day')],
  ['168', t('7 days')],
  ['720', t('30 days')],
  ['', t('Without an end')],
];

/** Grants a request: which tools, for how long, with a word to the person. */
export function GrantRequest({
  request,
  name,
  onClose,
}: {
  request: AccessRequest;
  name: string;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const { data: listed, isPending } = useQuery(toolsQuery(request.path));
  const [tools, setTools] = useState<readonly string[] | null>([]);
  const [written, setWritten] = useState('');
  const [hours, setHours] = useState('168');
  const [note, setNote] = useState('');
  const [missing, setMissing] = useState('');
  // Who may not call the tools of their own server does not see their names either.
  const known = listed?.tools ?? [];
  const isBlind = !isPending && known.length === 0;
  const named = written
    .split(',')
    .map((tool) => tool.trim())
    .filter(Boolean);
  const chosen = tools === null ? null : isBlind ? named : tools;
  const grant = useMutation({
    mutationFn: () =>
      api('accessRequests.grant', {
        params: { id: request.id },
        body: {
          tools: chosen === null ? 'all' : [...chosen],
          hours: hours === '' ? null : Number(hours),
          note: note.trim(),
        },
      }),
    onSuccess: async () => {
      announce('done', t('{name} now has access to {server}.', { name: request.username, server: name }));
      onClose();
      await queries.invalidateQueries({ queryKey: [requestsKey] });
    },
  });
  const change = (run: () => void) => {
    run();
    setMissing('');
    forgetSave(grant);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (grant.isPending) return;
    if (chosen?.length === 0) return setMissing(t('Choose at least one tool.'));
    grant.mutate();
  };
  const length = lengths.find(([value]) => value === hours)?.[1] ?? '';
  return (
    <Dialog title={t('Grant access to {name}', { name })} onClose={onClose}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        <Asked request={request} />
        {isPending ? (
          <Pending rows={3} />
        ) : (
          <ToolChoice
            tools={known}
            chosen={tools}
            onChange={(now) => change(() => setTools(now))}
            none={
              <TextField
                label={t('Names of tools, separated by commas')}
                value={written}
                isCode
                onChange={(text) => change(() => setWritten(text))}
              />
            }
          />
        )}
        <TextField
          label={t('How long')}
          value={hours}
          options={lengths}
          onChange={(value) => change(() => setHours(value))}
        />
        <TextField
          label={t('Message to the person (optional)')}
          value={note}
          onChange={(text) => change(() => setNote(text))}
        />
        <p role="status" className="rounded-md bg-sunken p-3">
          {chosen === null
            ? t('{person} sees {server} and can call every tool: {time}.', {
                ...{ person: request.username, server: name, time: length.toLocaleLowerCase() },
              })
            : `${t('{person} sees {server}', { person: request.username, server: name })} ${count(chosen.length, 'and can call {n} tool', 'and can call {n} tools')}${chosen.length > 0 ? ` (${chosen.join(', ')})` : ''}: ${length.toLocaleLowerCase()}.`}
        </p>
        {grant.error && <Problem error={grant.error} />}
        <div className="flex flex-wrap items-center justify-end gap-2">
          <span role="alert" className="text-bad">
            {missing}
          </span>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={grant.isPending}>
            {t('Grant')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Declines a request, with a word to the person. */
export function DeclineRequest({ request, onClose }: { request: AccessRequest; onClose: () => void }) {
  const queries = useQueryClient();
  const [note, setNote] = useState('');
  const decline = useMutation({
    mutationFn: () =>
      api('accessRequests.decline', { params: { id: request.id }, body: { note: note.trim() } }),
    onSuccess: async () => {
      announce('done', t('The request of {name} was declined.', { name: request.username }));
      onClose();
      await queries.invalidateQueries({ queryKey: [requestsKey] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!decline.isPending) decline.mutate();
  };
  return (
    <Dialog title={t('Decline this request?')} onClose={onClose}>
      <form noValidate onSubmit={submit} className="grid gap-4">
        <Asked request={request} />
        <TextField
          label={t('Message to the person (optional)')}
          value={note}
          rows={2}
          hint={t('Why, and what to do instead.')}
          onChange={setNote}
        />
        {decline.error && <Problem error={decline.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="danger" busy={decline.isPending}>
            {t('Decline')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Asked({ request: { username, reason } }: { request: AccessRequest }) {
  return (
    <figure className="grid gap-1 border-l-2 border-edge pl-3">
      <figcaption className="text-meta text-quiet">{t('{name} asks', { name: username })}</figcaption>
      <blockquote className="break-words whitespace-pre-line">{reason}</blockquote>
    </figure>
  );
}
