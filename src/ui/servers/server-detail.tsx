import { Activity } from 'lucide-react';
import type { Server } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { t } from '../words/words.ts';
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
      <Fact name={t('Endpoint')} isLong>
        <CopyText
          text={server.endpoint_url}
          label={t('Copy endpoint URL of {name}', { name: server.server_name })}
        />
      </Fact>
      <Fact name={t('Last checked')}>
        {server.last_checked_iso === null ? t('never') : <RelativeTime iso={server.last_checked_iso} />}
      </Fact>
      <Fact name={t('Protocol')}>
        {[
          server.supported_transports.join(', '),
          server.mcp_protocol_version && `MCP ${server.mcp_protocol_version}`,
          server.mcp_server_version && t('server version {version}', { version: server.mcp_server_version }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </Fact>
      {server.proxy_pass_url !== null && (
        <Fact name={t('Server URL')}>
          <code className="font-mono text-code">{server.proxy_pass_url}</code>
        </Fact>
      )}
      <Fact name={t('Owner')}>{server.registered_by}</Fact>
      <Fact name={t('Registered')}>
        <RelativeTime iso={server.registered_at} />
      </Fact>
      {server.license !== 'N/A' && <Fact name={t('License')}>{server.license}</Fact>}
    </dl>
  );
}

function CheckHealth({ server }: { server: Server }) {
  const check = useHealthCheck(server);
  return (
    <Button busy={check.isPending} onClick={() => check.mutate()}>
      <Activity size={15} aria-hidden />
      {check.isPending ? t('Checking …') : t('Check health')}
    </Button>
  );
}
