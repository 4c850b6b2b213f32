import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api } from '../api.ts';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { virtualServersKey, virtualServersQuery } from './virtual-draft.ts';
import { VirtualForm } from './virtual-form.tsx';

/** Makes a virtual server, shared or personal, in four steps. */
export function NewVirtual() {
  const { data, error, refetch } = useQuery(virtualServersQuery);
  return (
    <Page title={t('Create a virtual server')}>
      {!data && !error && <Pending rows={6} />}
      {!data && error && <Problem error={error} retry={() => void refetch()} />}
      {data &&
        (data.can_create || data.can_create_personal ? (
          <VirtualForm may={{ share: data.can_create, own: data.can_create_personal }} />
        ) : (
          <p>
            {t(
              'You are not allowed to create virtual servers. Ask an administrator for a scope that lets you.',
            )}
          </p>
        ))}
    </Page>
  );
}

/** Changes a virtual server. */
export function EditVirtual() {
  const { _splat: path = '' } = useParams({ from: '/signed-in/virtual-servers/edit/$' });
  const { data, error, refetch } = useQuery({
    queryKey: [virtualServersKey, path],
    queryFn: ({ signal }) => api('virtualServers.get', { params: { path }, signal }),
    // So that a change by somebody else is told before a save is refused for it.
    refetchInterval: 20_000,
  });
  return (
    <Page title={t('Change {name}', { name: data?.server_name ?? path })}>
      {!data && !error && <Pending rows={6} />}
      {!data && error && <Problem error={error} retry={() => void refetch()} />}
      {data &&
        (data.can.modify ? (
          <VirtualForm key={data.path} virtual={data} may={{ share: false, own: false }} />
        ) : (
          <p>{t('You can see this virtual server, but not change it.')}</p>
        ))}
    </Page>
  );
}
