import { Activity } from 'lucide-react';
import type { Server } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { ConnectButton } from './connect-button.tsx';
import { useHealthCheck } from './server-changes.ts';

/** What can be done with a server, as far as the caller may. */
export function ServerActions({ server }: { server: Server }) {
  return (
    <>
      <ConnectButton server={server} />
      {server.can.health_check && <CheckHealth server={server} />}
    </>
  );
}

/** The facts about a server: where it is, how it was, what it speaks, where it comes from. */
export function ServerFacts({ server }: { server: Server }) {
  return (
    <dl className="grid gap-2.5">
      <Fact name="Endpoint">
        <CopyText text={server.endpoint_url} label={`Copy endpoint URL of ${server.server_name}`} />
      </Fact>
      <Fact name="Last checked">
        {server.last_checked_iso === null ? 'never' : <RelativeTime iso={server.last_checked_iso} />}
      </Fact>
      <Fact name="Speaks">
        {[
          server.supported_transports.join(', '),
          server.mcp_protocol_version && `MCP ${server.mcp_protocol_version}`,
          server.mcp_server_version && `server version ${server.mcp_server_version}`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </Fact>
      {server.proxy_pass_url !== null && (
        <Fact name="Runs at">
          <code className="font-mono text-code">{server.proxy_pass_url}</code>
        </Fact>
      )}
      <Fact name="Owner">{server.registered_by}</Fact>
      <Fact name="Registered">
        <RelativeTime iso={server.registered_at} />
      </Fact>
      {server.license !== 'N/A' && <Fact name="License">{server.license}</Fact>}
    </dl>
  );
}

function CheckHealth({ server }: { server: Server }) {
  const check = useHealthCheck(server);
  return (
    <Button busy={check.isPending} onClick={() => check.mutate()}>
      <Activity size={15} aria-hidden />
      {check.isPending ? 'Checking …' : 'Check health'}
    </Button>
  );
}
