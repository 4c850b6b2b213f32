import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { EnabledState } from '../servers/enabled-state.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';
import { virtualServersKey as key, virtualServersQuery } from './virtual-draft.ts';

type Listed = Awaited<ReturnType<typeof api<'virtualServers.list'>>>;
type Virtual = Listed['virtual_servers'][number];

/** Several servers behind one endpoint: those shared with the caller and their own. */
export function VirtualServers() {
  const { data, error, isPending, refetch } = useQuery(virtualServersQuery);
  const canCreate = data && (data.can_create || data.can_create_personal);
  return (
    <Page
      title={t('Virtual servers')}
      actions={
        canCreate && (
          <Link to="/virtual-servers/new" className={buttonClass('primary')}>
            <Plus size={15} aria-hidden />
            {t('Create')}
          </Link>
        )
      }
    >
      <p className="mb-4 max-w-prose text-quiet">
        {t(
          'Several servers behind one endpoint: a client connects once and sees the tools of all of them that you can call.',
        )}
      </p>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.virtual_servers.length === 0 && (
        <Empty>
          <p className="max-w-prose text-quiet">
            {canCreate
              ? t('There is no virtual server yet. Create one from servers that you use together.')
              : t('No virtual server has been shared with you.')}
          </p>
        </Empty>
      )}
      {data && data.virtual_servers.length > 0 && (
        <ul
          aria-label={t('Virtual servers')}
          className="overflow-hidden rounded-lg border border-line bg-raised"
        >
          {data.virtual_servers.map((one) => (
            <VirtualRow key={one.id} server={one} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function VirtualRow({ server }: { server: Virtual }) {
  const queries = useQueryClient();
  const { path, server_name: name } = server;
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => api('virtualServers.toggle', { params: { path }, body: { enabled } }),
    onSuccess: ({ is_enabled }) =>
      announce(
        'done',
        is_enabled ? t('{name} is now enabled.', { name }) : t('{name} is now disabled.', { name }),
        { words: t('Undo'), about: `virtual ${path}`, run: () => toggle.mutate(!is_enabled) },
      ),
    onError: (error) => announce('failed', saidBy(error).detail),
    onSettled: () => queries.invalidateQueries({ queryKey: [key] }),
  });
  const remove = useMutation({
    mutationFn: () => api('virtualServers.remove', { params: { path } }),
    onSuccess: () => announce('done', t('{name} was removed.', { name })),
    onError: (error) => announce('failed', saidBy(error).detail),
    onSettled: () => queries.invalidateQueries({ queryKey: [key] }),
  });
  const [removing, setRemoving] = useState(false);
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-0">
      <NameTile name={name} />
      <div className="grid min-w-0 flex-1 basis-72 justify-items-start gap-1">
        <h2 className="font-semibold">
          {name}
          {server.is_personal && (
            <span className="ml-2 rounded-sm bg-hover px-1.5 py-0.5 text-meta font-normal text-quiet">
              {t('Only for you')}
            </span>
          )}
        </h2>
        {server.description && <p>{server.description}</p>}
        <p className="text-quiet">
          {count(server.num_tools, '{n} tool', '{n} tools')} ·{' '}
          {count(server.backend_count, 'from {n} server', 'from {n} servers')}
          {server.backend_paths.length > 0 && `: ${server.backend_paths.join(', ')}`} ·{' '}
          {count(server.list_tokens, 'about {n} token a list', 'about {n} tokens a list')}
        </p>
        <CopyText text={server.endpoint_url} label={t('Copy endpoint URL of {name}', { name })} />
      </div>
      <div className="flex items-center gap-2">
        <EnabledState
          name={name}
          on={server.is_enabled}
          onChange={server.can.modify ? (on) => toggle.mutate(on) : undefined}
        />
        {server.can.modify && (
          <Link
            to="/virtual-servers/edit/$"
            params={{ _splat: path.slice(1) }}
            aria-label={t('Change {name}', { name })}
            className={buttonClass()}
          >
            {t('Change')}
          </Link>
        )}
        {server.can.delete && (
          <Button aria-label={t('Remove {name}', { name })} onClick={() => setRemoving(true)}>
            {t('Remove')}
          </Button>
        )}
      </div>
      {removing && (
        <Dialog title={t('Remove {name}?', { name })} onClose={() => setRemoving(false)}>
          <p>{t('Clients can no longer reach it. The servers behind it stay as they are.')}</p>
          <div className="mt-4 flex justify-end gap-2">
            <Button onClick={() => setRemoving(false)}>{t('Keep')}</Button>
            <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
              {t('Remove')}
            </Button>
          </div>
        </Dialog>
      )}
    </li>
  );
}
