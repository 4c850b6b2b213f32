import { Link } from '@tanstack/react-router';
import { Activity } from 'lucide-react';
import type { Server } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { ToolList } from '../server/tool-list.tsx';
import { ConnectButton } from './connect-button.tsx';
import { useHealthCheck } from './server-changes.ts';

/** What is known of one server at a glance: where to connect, its health, where it comes from, its tools. */
export function ServerDetail({ server }: { server: Server }) {
  return (
    <div className="grid gap-x-10 gap-y-5 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <div className="grid content-start gap-4">
        <ServerFacts server={server} />
        <div className="flex flex-wrap gap-2">
          <ServerActions server={server} />
          <Link to="/servers/$" params={{ _splat: server.path.slice(1) }} className={buttonClass()}>
            Open<span className="sr-only"> the page of {server.server_name}</span>
          </Link>
        </div>
      </div>
      <ToolList server={server} />
    </div>
  );
}

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
      {server.health_detail !== null && <Fact name="Health">{server.health_detail}</Fact>}
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
      <Fact name="Registered">
        by {server.registered_by}, <RelativeTime iso={server.registered_at} />
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
