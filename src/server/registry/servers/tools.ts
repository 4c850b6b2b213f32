import type { Output } from '../../../contract/endpoint.ts';
import type { serverEndpoints } from '../../../contract/servers/servers.ts';
import { Failure } from '../../failure/errors.ts';
import type { LookAfter } from './health/look-after.ts';
import type { ServerRow } from './store.ts';

/**
 * The tools of a server that `mayCall` allows: as the server lists them now or, when it cannot be asked, as last seen.
 * Where nothing was ever seen, that is a failure, not an empty list.
 */
export async function showTools(
  lookAfter: LookAfter,
  row: ServerRow,
  mayCall: (tool: string) => boolean,
): Promise<Output<(typeof serverEndpoints)['servers.tools']>> {
  const live = row.isEnabled ? await lookAfter.one(row) : undefined;
  const fresh = live?.found.tools ?? null;
  const tools = fresh ?? row.tools?.tools;
  const stale_reason = fresh ? null : (live?.found.detail ?? 'The server is switched off.');
  if (!tools)
    throw new Failure(
      row.isEnabled ? 'upstream_unreachable' : 'server_disabled',
      `The tools of '${row.path}' have never been read. ${stale_reason}`,
    );
  return {
    service_path: row.path,
    tools: tools.filter((tool) => mayCall(tool.name)),
    cached: fresh === null,
    fetched_at: (fresh ? live?.at : row.tools?.fetchedAt) ?? null,
    stale_reason,
  };
}
