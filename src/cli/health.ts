import type { Api } from '../contract/client.ts';
import type { HealthStatus, Server } from '../contract/servers/servers.ts';
import type { Run } from './command.ts';
import { mapBounded } from './input/bounded.ts';
import { healthStyle } from './output/server-view.ts';
import { table } from './output/table.ts';
import { asTrouble } from './trouble.ts';

/** How many servers are checked at the same time. */
const atOnce = 8;
const pageSize = 200;

interface Finding {
  path: string;
  health_status: HealthStatus;
  detail: string | null;
  num_tools: number;
}

/** The action of `healthcheck`: exit code 1 when any checked server is not healthy. */
export async function checkHealth({ api, output }: Run, { path }: { path?: string }): Promise<number> {
  const call = await api();
  const paths = path === undefined ? await checkablePaths(call) : [path];
  const findings = await mapBounded(paths, atOnce, (each) => check(call, each, path === undefined));
  const healthy = findings.filter(isFine).length;
  const summary = { checked: findings.length, healthy, unhealthy: findings.length - healthy };
  output.result({ servers: findings, ...summary }, (paint, room) =>
    findings.length === 0
      ? ''
      : table(
          findings,
          [
            { title: 'PATH', show: (finding) => finding.path },
            { title: 'HEALTH', show: (finding) => finding.health_status, style: healthStyle },
            { title: 'TOOLS', show: (finding) => String(finding.num_tools) },
            { title: 'DETAIL', show: (finding) => finding.detail ?? '' },
          ],
          room,
          paint,
        ),
  );
  if (!output.json)
    output.note(
      findings.length === 0
        ? 'No enabled servers that you may check.'
        : `${healthy} of ${findings.length} healthy.`,
    );
  return summary.unhealthy === 0 ? 0 : 1;
}

function isFine({ health_status }: Finding): boolean {
  return health_status === 'healthy' || health_status === 'disabled';
}

async function checkablePaths(call: Api): Promise<string[]> {
  const found: Server[] = [];
  for (let more = true; more; ) {
    const page = await call('servers.list', { query: { limit: pageSize, offset: found.length } });
    found.push(...page.servers);
    more = page.has_next && page.servers.length > 0;
  }
  return found.filter((server) => server.is_enabled && server.can.health_check).map((server) => server.path);
}

async function check(call: Api, path: string, among: boolean): Promise<Finding> {
  try {
    const server = await call('servers.health', { params: { path } });
    return {
      path: server.path,
      health_status: server.health_status,
      detail: server.health_detail,
      num_tools: server.num_tools,
    };
  } catch (error) {
    const trouble = asTrouble(error);
    // One server that cannot be checked does not hide the others; a refused credential or no network concerns all.
    if (!among || trouble.about.status === undefined || trouble.about.status === 401) throw error;
    return { path, health_status: 'unknown', detail: trouble.message, num_tools: 0 };
  }
}
