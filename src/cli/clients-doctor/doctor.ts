import { plainText } from '../../contract/values/plain-text.ts';
import { tracedFetch } from '../api.ts';
import type { Run } from '../command.ts';
import type { Paint } from '../output/output.ts';
import { misuse } from '../trouble.ts';
import { asking } from './ask.ts';
import { type Examined, examine } from './examine.ts';
import { profiles } from './profiles.ts';

/** The options of `doctor clients`. */
export interface ClientsFlags {
  client?: string[];
  server?: string;
}

/** The action of `doctor clients`: exit code 1 when a client cannot sign in. Needs no sign-in of its own. */
export async function examineClients({ registryUrl, output }: Run, flags: ClientsFlags): Promise<number> {
  // Whether there is such a server is told to nobody who is not signed in, so any name will do.
  const name = (flags.server ?? '/a-server').replace(/^\/+|\/+$/g, '');
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._/-]*$/.test(name))
    throw misuse(
      `'${name}' is not the path of a server.`,
      'Give one such as /currenttime, or leave --server out.',
    );
  const unknown = flags.client?.find((id) => !profiles.some((profile) => profile.id === id));
  if (unknown !== undefined)
    throw misuse(
      `'${unknown}' is not a known client.`,
      `There are: ${profiles.map(({ id }) => id).join(', ')}.`,
    );
  const endpoint = `${registryUrl.replace(/\/$/, '')}/${name}/mcp`;
  const ask = asking(tracedFetch(output.debug));
  const clients: Examined[] = [];
  for (const profile of profiles)
    if (flags.client === undefined || flags.client.includes(profile.id))
      clients.push(await examine(endpoint, profile, ask));
  const healthy = clients.every(({ works }) => works);
  output.result({ endpoint, healthy, clients }, (paint) => show(clients, endpoint, paint));
  return healthy ? 0 : 1;
}

function show(clients: readonly Examined[], endpoint: string, paint: Paint): string {
  const lines = clients.map(({ title, works, steps }) => {
    const found = steps.filter(({ level }) => level !== 'ok');
    const mark = works ? paint(found.length > 0 ? 'yellow' : 'green', 'works') : paint('red', 'fails');
    const why = found.flatMap(({ step, what, remedy }) => [
      `        ${step}: ${plainText(what)}`,
      ...(remedy === null ? [] : [`        ${paint('dim', plainText(remedy))}`]),
    ]);
    return [`  ${mark}  ${title}`, ...why].join('\n');
  });
  const failing = clients.filter(({ works }) => !works).length;
  const sum =
    failing === 0 ? 'Every client can sign in.' : `${failing} of ${clients.length} clients cannot sign in.`;
  return [`Signing in for ${endpoint}`, ...lines, '', sum].join('\n');
}
