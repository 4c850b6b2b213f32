import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import { doctorQuery, type Me, type Server } from '../api.ts';
import { requestsQuery } from '../requests/requests-query.ts';
import { healthWords } from '../servers/health.tsx';
import { isIn } from '../servers/server-filter.ts';
import { count, t } from '../words/words.ts';

interface Matter {
  readonly key: string;
  readonly isBad: boolean;
  readonly href: string;
  readonly words: string;
  readonly more: string;
}

/** How many matters are named here; more are counted. */
const most = 6;

/** For those who look after servers or the gateway: what does not work, or not for long. */
export function Attention({ me, servers }: { me: Me; servers: readonly Server[] }) {
  const { data: diagnosis } = useQuery({ ...doctorQuery(3600), enabled: me.is_admin });
  const { data: waiting } = useQuery(requestsQuery('decide', { status: 'pending' }));
  const asked = waiting?.requests ?? [];
  const cares = me.is_admin || asked.length > 0 || servers.some(({ can }) => can.modify || can.toggle);
  if (!cares) return null;
  const names = new Map(servers.map(({ path, server_name }) => [path, server_name]));
  const matters: Matter[] = [
    ...asked.slice(0, 3).map(({ id, username, path, reason }) => ({
      ...{ key: `request ${id}`, isBad: false, href: '/requests?tab=waiting', more: reason },
      words: t('{name} asks for {server}', { name: username, server: names.get(path) ?? path }),
    })),
    ...servers
      .filter((server) => isIn('issues', server))
      .map((server) => ({
        key: server.path,
        isBad: true,
        href: `/servers/${server.path.slice(1)}?tab=health`,
        words: server.server_name,
        more: server.health_detail ?? healthWords(server.health_status),
      })),
    ...(diagnosis?.findings ?? [])
      .filter(({ level, id }) => level === 'fail' || (level === 'warn' && id.endsWith('-expiry')))
      .map(({ id, level, what, why }) => ({
        ...{ key: `doctor ${id}`, isBad: level === 'fail', href: '/operations' },
        ...{ words: what, more: why },
      })),
  ];
  return (
    <section aria-labelledby="attention" className="grid min-w-0 gap-3">
      <h2 id="attention" className="text-lead font-semibold">
        {t('Needs attention')}
      </h2>
      {matters.length === 0 ? (
        <p className="flex items-center gap-2.5 rounded-lg border border-line bg-raised px-4 py-3">
          <CircleCheck size={16} aria-hidden className="shrink-0 text-good" />
          {t('Everything is working.')}
        </p>
      ) : (
        <ul aria-labelledby="attention" className="overflow-hidden rounded-lg border border-line bg-raised">
          {matters.slice(0, most).map(({ key, isBad, href, words, more }) => (
            <li
              key={key}
              className="relative flex gap-2.5 border-b border-line px-4 py-2.5 last:border-0 hover:bg-hover"
            >
              {isBad ? (
                <CircleX size={16} aria-hidden className="mt-0.5 shrink-0 text-bad" />
              ) : (
                <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
              )}
              <div className="min-w-0">
                <Link to={href as '/'} className="font-medium after:absolute after:inset-0">
                  {words}
                </Link>
                <p className="line-clamp-2 text-quiet">{more}</p>
              </div>
            </li>
          ))}
          {matters.length > most && (
            <li className="px-4 py-2.5 text-quiet">
              {count(matters.length - most, 'and {n} more', 'and {n} more')}
            </li>
          )}
        </ul>
      )}
    </section>
  );
}
