import { useMutation } from '@tanstack/react-query';
import { CircleCheck, PlugZap } from 'lucide-react';
import type { Server } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Problem } from '../controls/problem.tsx';
import { count, t } from '../words/words.ts';
import { pageToken } from './page-token.ts';

/** Connects to a server through the gateway as a program would, and says how that went. */
export function ConnectionTest({ server, token }: { server: Server; token: string | null }) {
  const test = useMutation({ mutationFn: () => connectOnce(server, token) });
  return (
    <section aria-label={t('Test')} className="grid justify-items-start gap-2 border-t border-line pt-4">
      <Button busy={test.isPending} onClick={() => test.mutate()}>
        <PlugZap size={15} aria-hidden />
        {test.isPending ? t('Connecting …') : t('Test this connection')}
      </Button>
      {test.error && !test.isPending && <Problem error={test.error} />}
      <p role="status">
        {test.data && !test.isPending && (
          <span className="flex gap-1.5 text-good">
            <CircleCheck size={16} aria-hidden className="mt-0.5 shrink-0" />
            <span>{test.data}</span>
          </span>
        )}
      </p>
    </section>
  );
}

async function connectOnce(server: Server, token: string | null): Promise<string> {
  const [{ withServer }, proof] = await Promise.all([import('./gateway-client.ts'), token ?? pageToken()]);
  const begun = performance.now();
  return withServer(server, proof, async ({ client, greeting }) => {
    const offers = client.getServerCapabilities()?.tools;
    const offered = offers ? (await client.listTools()).tools.length : 0;
    const took = Math.round(performance.now() - begun);
    const tools = count(offered, '{n} tool', '{n} tools');
    return t('Connected in {took} ms: {name} {version}, MCP {protocol}, {tools} you can call.', {
      took,
      name: greeting.name,
      version: greeting.version,
      protocol: greeting.protocol,
      tools,
    });
  });
}
