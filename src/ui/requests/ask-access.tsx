import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave } from '../controls/fields/use-draft.ts';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import { requestableQuery, requestsKey } from './requests-query.ts';

/** Asks for access to a server: by the path given, or by one that the person writes, with a reason. */
export function AskAccess({
  path: given = '',
  name,
  onClose,
}: {
  path?: string;
  name?: string | undefined;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const [path, setPath] = useState(given);
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState<'path' | 'reason'>();
  const ask = useMutation({
    mutationFn: () => api('accessRequests.create', { body: { path: path.trim(), reason: reason.trim() } }),
    onSuccess: async () => {
      announce('done', t('Your request was sent. Follow it under Requests.'));
      onClose();
      await queries.invalidateQueries({ queryKey: [requestsKey] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ask.isPending) return;
    if (path.trim().replaceAll('/', '') === '') return setMissing('path');
    if (reason.trim() === '') return setMissing('reason');
    ask.mutate();
  };
  return (
    <Dialog
      title={given ? t('Request access to {name}', { name: name ?? given }) : t('Request access')}
      onClose={onClose}
    >
      <form noValidate onSubmit={submit} className="grid gap-4">
        {given === '' && (
          <TextField
            label={t('Server')}
            value={path}
            placeholder="/currenttime"
            hint={t('Its path: the part of its address after the host, without /mcp.')}
            fault={missing === 'path' ? t('Enter the path of a server.') : undefined}
            onChange={(text) => {
              setPath(text);
              setMissing(undefined);
              forgetSave(ask);
            }}
          />
        )}
        <TextField
          label={t('Reason')}
          value={reason}
          rows={3}
          hint={t('The owner of the server or an administrator reads it and decides.')}
          fault={missing === 'reason' ? t('Say what you need it for.') : undefined}
          onChange={(text) => {
            setReason(text);
            setMissing(undefined);
            forgetSave(ask);
          }}
        />
        {ask.error && <Problem error={ask.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={ask.isPending}>
            {t('Send request')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A button that asks for access; absent where the gateway takes no requests. */
export function AskAccessButton({
  path,
  name,
  look = 'plain',
  names = false,
}: {
  path?: string;
  name?: string;
  /** Names the server to screen readers, where there are several such buttons. */
  names?: boolean;
  look?: 'plain' | 'primary';
}) {
  const { data } = useQuery(requestableQuery());
  const [asking, setAsking] = useState(false);
  if (!data?.enabled) return null;
  return (
    <>
      <Button
        look={look}
        aria-label={names && name ? t('Request access to {name}', { name }) : undefined}
        onClick={() => setAsking(true)}
      >
        {t('Request access')}
      </Button>
      {asking && <AskAccess {...(path ? { path } : {})} name={name} onClose={() => setAsking(false)} />}
    </>
  );
}

/** Whether the gateway said that there is nothing here that the caller may see. */
export function isUnseen(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
