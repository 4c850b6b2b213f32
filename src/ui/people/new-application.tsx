import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { accountsKey, api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { FailedGroups, ShownOnce } from '../controls/shown-once.tsx';
import { AccountForm, namesIn } from './account-form.tsx';

type Created = Awaited<ReturnType<typeof api<'users.createM2m'>>>;
type Job = Awaited<ReturnType<typeof api<'jobs.get'>>>;
type Secret = Awaited<ReturnType<typeof api<'jobs.secret'>>>;

const fields = [
  { name: 'name', label: 'Name' },
  { name: 'groups', label: 'Groups', hint: 'Names or ids, separated by commas; at least one.' },
  { name: 'description', label: 'Description (optional)' },
];

/** Makes an application's account: the job's steps as they are done, then the secret, once. */
export function NewApplication({ onClose }: { onClose: () => void }) {
  const [jobId, setJobId] = useState<string>();
  return (
    <Dialog title="New application" onClose={onClose}>
      {jobId ? (
        <Progress id={jobId} onClose={onClose} />
      ) : (
        <AccountForm
          fields={fields}
          action="Create"
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
  created: 'Register the application',
  principal: 'Make its principal',
  secret: 'Make a secret',
  member: 'Put it into the groups',
  role: 'Let it call the gateway',
  verified: 'Get a token with it',
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
        title="The account is ready. Keep the secret now: it cannot be shown again."
        texts={[
          ['Client ID', secret.client_id],
          ['Client secret', secret.client_secret],
        ]}
        onDone={onClose}
      >
        <p>
          {secret.expires_at
            ? `The secret ends on ${secret.expires_at.slice(0, 10)}.`
            : 'The secret has no end.'}
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
        <Button onClick={onClose}>Close</Button>
        {state === 'done' && (
          <Button look="primary" onClick={() => void show()}>
            Show the secret
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
    running: `'${name}' is being made. You may close this: it goes on.`,
    undoing: 'A step failed; what was created is being removed.',
    done: `'${name}' was created. Its secret is kept for 24 hours and shown once.`,
    undone: `'${name}' could not be made, and nothing of it is left.`,
    stuck: `'${name}' could not be made, and could not be removed: delete it.`,
  }[state];
  return (
    <>
      <ol aria-label="Steps" className="grid gap-1">
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
