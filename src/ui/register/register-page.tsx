import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { meQuery, type Server, serverQuery } from '../api.ts';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { parts, t } from '../words/words.ts';
import { type Draft, draftOf, emptyDraft } from './server-draft.ts';
import { ServerForm } from './server-form.tsx';
import { ServerStart } from './server-start.tsx';

/** Registers a server: from its URL, from a configuration, or by hand. */
export function Register() {
  const { data: me } = useQuery(meQuery);
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const may = (me?.ui_permissions.register_service?.length ?? 0) > 0;
  return (
    <Page title={t('Register a server')}>
      {may ? (
        <>
          <ServerStart onDraft={setDraft} />
          <ServerForm draft={draft} onChange={setDraft} />
        </>
      ) : (
        <NotAllowed permission="register_service" />
      )}
    </Page>
  );
}

/** Changes what is said about a server. */
export function Edit() {
  const { _splat: path = '' } = useParams({ from: '/signed-in/edit/$' });
  const { data, error, isPending, refetch } = useQuery({
    ...serverQuery(`/${path}`),
    refetchInterval: false,
  });
  return (
    <Page title={t('Edit /{path}', { path })}>
      {isPending && <Pending rows={6} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data && (data.can.modify ? <EditForm server={data} /> : <NotAllowed permission="modify_service" />)}
    </Page>
  );
}

function EditForm({ server: shown }: { server: Server }) {
  // What was shown first is what is changed: a change by somebody else meanwhile is refused, not overwritten.
  const [server] = useState(shown);
  const [draft, setDraft] = useState(() => draftOf(server));
  return <ServerForm draft={draft} onChange={setDraft} server={server} />;
}

function NotAllowed({ permission }: { permission: string }) {
  return (
    <Empty>
      <p className="max-w-prose text-quiet">
        {parts('You are not allowed to do this. Ask an administrator for the permission {permission}.', {
          permission: <code className="font-mono text-code">{permission}</code>,
        })}
      </p>
    </Empty>
  );
}
