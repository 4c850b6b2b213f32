import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Button } from '../controls/button.tsx';
import { Search } from '../controls/fields/search.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';
import { AskAccess } from './ask-access.tsx';
import { requestableQuery } from './requests-query.ts';

/** The servers that somebody does not see and may ask for; nothing where the operator does not have them listed. */
export function Requestable() {
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text.trim());
  const { data } = useQuery({ ...requestableQuery(wanted), placeholderData: keepPreviousData });
  const [asking, setAsking] = useState<{ path: string; server_name: string }>();
  if (!data?.lists || (data.total_count === 0 && wanted === '')) return null;
  return (
    <section aria-labelledby="requestable" className="mt-8 grid gap-3">
      <div className="flex flex-wrap items-center gap-3">
        <h2 id="requestable" className="text-lead font-semibold">
          {t('Servers you can ask for')}
        </h2>
        <Search things={t('servers')} value={text} onChange={setText} />
        <p role="status" className="text-quiet">
          {count(data.total_count, '{n} server', '{n} servers')}
        </p>
      </div>
      {data.servers.length > 0 && (
        <ul aria-labelledby="requestable" className="overflow-hidden rounded-lg border border-line bg-raised">
          {data.servers.map((server) => (
            <li
              key={server.path}
              className="flex items-center gap-3 border-b border-line px-4 py-3 last:border-0"
            >
              <NameTile name={server.server_name} />
              <div className="min-w-0 flex-1">
                <h3 className="font-semibold break-words">{server.server_name}</h3>
                <p className="line-clamp-2 text-quiet">{server.description || server.path}</p>
              </div>
              {server.pending ? (
                <span className="shrink-0 text-quiet">{t('Waiting')}</span>
              ) : (
                <Button
                  aria-label={t('Request access to {name}', { name: server.server_name })}
                  onClick={() => setAsking(server)}
                >
                  {t('Request')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {asking && (
        <AskAccess path={asking.path} name={asking.server_name} onClose={() => setAsking(undefined)} />
      )}
    </section>
  );
}
