import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { meQuery, type Server, serverQuery } from '../api.ts';
import { Empty } from '../controls/empty.tsx';
import { useDraft } from '../controls/fields/use-draft.ts';
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
  const draft = useDraft<Draft>(emptyDraft);
  const may = (me?.ui_permissions.register_service?.length ?? 0) > 0;
  return (
    <Page title={t('Register a server')}>
      {may ? (
        <>
          <ServerStart draft={draft.now} onDraft={draft.change} />
          <ServerForm draft={draft} />
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
  const { data, error, isPending, refetch } = useQuery(serverQuery(`/${path}`));
  return (
    <Page title={t('Edit {name}', { name: data?.server_name ?? `/${path}` })}>
      {isPending && <Pending rows={6} />}
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data &&
        (data.can.modify ? (
          <EditForm key={data.path} server={data} />
        ) : (
          <NotAllowed permission="modify_service" />
        ))}
    </Page>
  );
}

function EditForm({ server }: { server: Server }) {
  return <ServerForm draft={useDraft<Draft>(draftOf(server))} server={server} />;
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
