import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { accountsKey, api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { t } from '../words/words.ts';
import { AccountForm, namesIn } from './account-form.tsx';

type Created = Awaited<ReturnType<typeof api<'users.createM2m'>>>;
type Job = Awaited<ReturnType<typeof api<'jobs.get'>>>;
type Secret = Awaited<ReturnType<typeof api<'jobs.secret'>>>;

const fields = [
  { name: 'name', label: t('Name') },
  { name: 'groups', label: t('Groups'), hint: t('Names or ids, separated by commas; at least one.') },
  { name: 'description', label: t('Description (optional)') },
];

/** Makes an application's account: the job's steps as they are done, then the secret, once. */
export function NewApplication({ onClose }: { onClose: () => void }) {
  const [jobId, setJobId] = useState<string>();
  return (
    <Dialog title={t('New application')} onClose={onClose}>
      {jobId ? (
        <Progress id={jobId} onClose={onClose} />
      ) : (
        <AccountForm
          fields={fields}
          action={t('Create')}
          onCancel={onClose}
          onDone={({ job }: Created) => setJobId(job.id)}
          send={({ name = '', groups, description = '' }) =>
            api('users.createM2m', {
              query: { wait: 'false' },
              body: { name, groups: namesIn(groups), ...(description ? { description } : {}) },
            })
          }
        />
      )}
    </Dialog>
  );
}

const words: Readonly<Record<string, string>> = {
  created: t('Register the application'),
  principal: t('Make its principal'),
  secret: t('Make a secret'),
  member: t('Put it into the groups'),
  role: t('Let it call the gateway'),
  verified: t('Get a token with it'),
};

function Progress({ id, onClose }: { id: string; onClose: () => void }) {
  const queries = useQueryClient();
  const [secret, setSecret] = useState<Secret>();
  const [refusal, setRefusal] = useState<unknown>();
  const { data: job, error } = useQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => api('jobs.get', { params: { id }, signal }),
    refetchInterval: ({ state }) => (isOver(state.data) ? false : 500),
  });
  const state = job?.state;
  useEffect(() => {
    if (state !== undefined && state !== 'running')
      void queries.invalidateQueries({ queryKey: [accountsKey] });
  }, [state, queries]);
  const show = async () => {
    try {
      setSecret(await api('jobs.secret', { params: { id } }));
    } catch (caught) {
      setRefusal(caught);
    }
  };
  if (secret && job)
    return (
      <ShownOnce
        title={t('The account is ready. Save the secret now: it cannot be shown again.')}
        texts={[
          [t('Client ID'), secret.client_id],
          [t('Client secret'), secret.client_secret],
        ]}
        onDone={onClose}
      >
        <p>
          {secret.expires_at
            ? t('The secret ends on {day}.', { day: secret.expires_at.slice(0, 10) })
            : t('The secret has no end.')}
        </p>
        <FailedGroups failed={job.account.groups_failed} />
      </ShownOnce>
    );
  return (
    <div className="grid gap-4">
      {!job && !error && <Pending rows={3} />}
      {job && <Steps job={job} />}
      {(error ?? refusal) !== null && (error ?? refusal) !== undefined && (
        <Problem error={error ?? refusal} />
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{t('Close')}</Button>
        {state === 'done' && (
          <Button look="primary" onClick={() => void show()}>
            {t('Show the secret')}
          </Button>
        )}
      </div>
    </div>
  );
}

function isOver(job: Job | undefined): boolean {
  return job !== undefined && job.state !== 'running' && job.state !== 'undoing';
}

const marks = { done: '✓', running: '…', failed: '✗', waiting: '·' } as const;

function Steps({ job }: { job: Job }) {
  const { name, state, steps, trouble } = job;
  const outcome = {
    running: t("'{name}' is being created. You can close this; it continues.", { name }),
    undoing: t('A step failed; what was created is being removed.'),
    done: t("'{name}' was created. Its secret is kept for 24 hours and shown once.", { name }),
    undone: t("'{name}' could not be created; nothing was left behind.", { name }),
    stuck: t("'{name}' could not be created completely, nor removed: delete it.", { name }),
  }[state];
  return (
    <>
      <ol aria-label={t('Steps')} className="grid gap-1">
        {steps.map((step) => (
          <li key={step.name} className={step.state === 'waiting' ? 'text-quiet' : ''}>
            <span aria-hidden>{marks[step.state]}</span> {words[step.name] ?? step.name}
            <span className="sr-only"> ({step.state})</span>
          </li>
        ))}
      </ol>
      <p role="status">{outcome}</p>
      {trouble && <p className="break-words text-quiet">{trouble.detail}</p>}
    </>
  );
}
