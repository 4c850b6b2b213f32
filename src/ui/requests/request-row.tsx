import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { announce } from '../controls/toasts.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';
import { DeclineRequest, GrantRequest } from './decide-request.tsx';
import { type AccessRequest, requestsKey } from './requests-query.ts';

const looks: Record<AccessRequest['status'], readonly [words: string, className: string]> = {
  pending: [t('Waiting'), 'bg-warn-soft text-warn'],
  granted: [t('Granted'), 'bg-good-soft text-good'],
  declined: [t('Declined'), 'bg-bad-soft text-bad'],
  withdrawn: [t('Withdrawn'), 'bg-hover text-quiet'],
  ended: [t('Ended'), 'bg-hover text-quiet'],
};

/** One request: who, for which server, why, what became of it, and what this caller can do about it. */
export function RequestRow({
  request,
  name,
  isMine,
}: {
  request: AccessRequest;
  /** What the server is called, where that is known here. */
  name: string | undefined;
  isMine: boolean;
}) {
  const [doing, setDoing] = useState<'grant' | 'decline' | 'end'>();
  const close = () => setDoing(undefined);
  const { path, status, username, reason, can } = request;
  const shown = name ?? path;
  const [words, look] = looks[status];
  return (
    <li className="grid gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-0 md:grid-cols-[minmax(0,1fr)_auto]">
      <div className="flex min-w-0 gap-3">
        <NameTile name={isMine ? shown : username} />
        <div className="grid min-w-0 content-start gap-1">
          <h2 className="flex flex-wrap items-baseline gap-x-2 gap-y-1 font-semibold break-words">
            <span className="min-w-0 break-words">
              {isMine ? (
                <ServerName path={path} name={name} />
              ) : (
                <>
                  {username} <span className="font-normal text-quiet">→</span>{' '}
                  <ServerName path={path} name={name} />
                </>
              )}
            </span>
            <span className={`rounded-sm px-1.5 py-0.5 text-meta font-medium ${look}`}>{words}</span>
          </h2>
          <p className="break-words whitespace-pre-line">{reason}</p>
          <p className="text-meta text-quiet">
            {t('Asked')} <RelativeTime iso={request.created_at} />
            {request.server_exists === false && ` · ${t('No server is registered there.')}`}
          </p>
          <Outcome request={request} />
        </div>
      </div>
      <div className="flex flex-wrap items-start gap-2 max-md:pl-11">
        {can.decide && (
          <>
            <Button
              look="primary"
              aria-label={t('Grant the request of {name} for {server}', { name: username, server: shown })}
              onClick={() => setDoing('grant')}
            >
              {t('Grant')}
            </Button>
            <Button
              aria-label={t('Decline the request of {name} for {server}', { name: username, server: shown })}
              onClick={() => setDoing('decline')}
            >
              {t('Decline')}
            </Button>
          </>
        )}
        {can.withdraw && <Withdraw request={request} name={shown} />}
        {can.end && (
          <Button
            aria-label={t('End access of {name} to {server}', { name: username, server: shown })}
            onClick={() => setDoing('end')}
          >
            {t('End access')}
          </Button>
        )}
      </div>
      {doing === 'grant' && <GrantRequest request={request} name={shown} onClose={close} />}
      {doing === 'decline' && <DeclineRequest request={request} onClose={close} />}
      {doing === 'end' && <EndAccess request={request} name={shown} onClose={close} />}
    </li>
  );
}

function ServerName({ path, name }: { path: string; name: string | undefined }): ReactNode {
  if (name === undefined) return <code className="font-mono text-code">{path}</code>;
  return (
    <Link
      to="/servers/$"
      params={{ _splat: path.slice(1) }}
      className="rounded-sm underline decoration-line underline-offset-4"
    >
      {name}
    </Link>
  );
}

function Outcome({ request }: { request: AccessRequest }) {
  const { status, tools, note, decided_by: by, ends_at: ends, ended_by: endedBy } = request;
  if (status === 'pending' || status === 'withdrawn') return null;
  return (
    <div className="grid gap-0.5 text-meta text-quiet">
      {(status === 'granted' || status === 'ended') && request.decided_at !== null && (
        <p className="break-words">
          {tools === null
            ? t('Every tool')
            : `${count(tools.length, '{n} tool', '{n} tools')}: ${tools.join(', ')}`}
          {by !== null && ` · ${t('granted by {name}', { name: by })}`}
          {status === 'granted' &&
            (ends === null ? (
              ` · ${t('without an end')}`
            ) : (
              <>
                {' '}
                · {t('ends')} <RelativeTime iso={ends} />
              </>
            ))}
          {status === 'ended' && request.ended_at !== null && (
            <>
              {' '}
              · {t('ended')} <RelativeTime iso={request.ended_at} />
              {endedBy !== null && ` ${t('by {name}', { name: endedBy })}`}
            </>
          )}
        </p>
      )}
      {status === 'declined' && by !== null && <p>{t('declined by {name}', { name: by })}</p>}
      {note !== null && <p className="break-words whitespace-pre-line text-ink">“{note}”</p>}
    </div>
  );
}

/** Withdraws at once; what was withdrawn by mistake is asked for again. */
function Withdraw({ request: { id, path, reason }, name }: { request: AccessRequest; name: string }) {
  const queries = useQueryClient();
  const told = () => queries.invalidateQueries({ queryKey: [requestsKey] });
  const failed = (error: unknown) => announce('failed', saidBy(error).detail);
  const again = () => void api('accessRequests.create', { body: { path, reason } }).then(told, failed);
  const withdraw = useMutation({
    mutationFn: () => api('accessRequests.withdraw', { params: { id } }),
    onSuccess: () =>
      announce('done', t('Your request for {name} was withdrawn.', { name }), {
        words: t('Undo'),
        run: again,
      }),
    onError: failed,
    onSettled: told,
  });
  return (
    <Button
      aria-label={t('Withdraw your request for {name}', { name })}
      busy={withdraw.isPending}
      onClick={() => withdraw.mutate()}
    >
      {t('Withdraw')}
    </Button>
  );
}

function EndAccess({
  request: { id, username },
  name,
  onClose,
}: {
  request: AccessRequest;
  name: string;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => api('accessRequests.end', { params: { id } }),
    onSuccess: async () => {
      announce('done', t('The access of {name} has ended.', { name: username }));
      onClose();
      await queries.invalidateQueries({ queryKey: [requestsKey] });
    },
  });
  return (
    <Dialog title={t('End access to {name}?', { name })} onClose={onClose}>
      <div className="grid gap-4">
        <p>
          {t('What {name} was granted by this request ends at once; what their groups grant stays.', {
            name: username,
          })}
        </p>
        {end.error && <Problem error={end.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Keep')}</Button>
          <Button look="danger" busy={end.isPending} onClick={() => end.mutate()}>
            {t('End access')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
