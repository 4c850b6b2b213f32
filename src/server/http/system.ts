import type { Diagnosis } from '../../contract/diagnosis/doctor.ts';
import { type Endpoints, type Handlers, type Output, Reply } from '../../contract/endpoint.ts';
import { endpoints } from '../../contract/index.ts';
import type { systemEndpoints } from '../../contract/system.ts';
import type { Config } from '../config/config.ts';
import { Failure } from '../failure/errors.ts';
import { type Described, openApi } from './openapi/document.ts';
import { sessionCookieName } from './request/cookies.ts';

/** Answers with the OpenAPI document, which is made when it is first asked for. */
function openApiOf(endpoints: Endpoints, described: Described): () => Reply<string> {
  let text: string | undefined;
  return () => {
    text ??= JSON.stringify(openApi(endpoints, described));
    return new Reply(text, { 'cache-control': 'max-age=300' });
  };
}

/** What the endpoints about the process itself need. */
export interface SystemWorld {
  readonly config: Config;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Examines the identity provider, unless it has within so many milliseconds. */
  readonly doctor: (maxAge: number) => Promise<Diagnosis>;
  /** The figures of this process as text. */
  readonly metrics: () => Promise<string>;
  /** Since when the database cannot be read (milliseconds since 1970); null while it can. */
  readonly behindSince: () => number | null;
  /** Who serves, and what is stored. */
  readonly overview: () => Promise<Output<(typeof systemEndpoints)['system.overview']>>;
  /** Whether this process was asked to end, and serves only until everybody knows. */
  readonly isLeaving: () => boolean;
  /** What is wrong with the room of the audit trail; null when nothing is. */
  readonly trailAlarm: () => 'size_limit' | 'low_disk' | null;
}

/** The endpoints about the process itself. */
export function systemHandlers(world: SystemWorld): Handlers<typeof systemEndpoints, unknown> {
  const { version, doctor, metrics, config, now, behindSince, trailAlarm } = world;
  const { mode, settings } = config;
  const cookie = sessionCookieName(config.session);
  const started_at = new Date(now()).toISOString();
  return {
    'system.health': () => ({ status: 'healthy', service: 'mcp-gateway-registry' }),
    'system.live': () => ({ status: 'live' }),
    // Ready also without the database, or a load balancer would send the calls that go on to nobody.
    'system.ready'() {
      if (world.isLeaving())
        throw new Failure('shutting_down', 'This replica is shutting down; send calls to another one.');
      const since = behindSince();
      const unreachable_since = since === null ? null : new Date(since).toISOString();
      const database = { reachable: since === null, unreachable_since };
      const audit = { alarm: trailAlarm() };
      return { status: since === null ? ('ready' as const) : ('degraded' as const), database, audit };
    },
    'system.version': () => ({ version }),
    'system.process': () => ({ version, node: process.version, mode, started_at, settings: [...settings] }),
    'system.overview': () => world.overview(),
    'system.doctor': ({ query }) => doctor(query.max_age * 1000),
    'system.metrics': metrics,
    'system.openapi': openApiOf(endpoints, { version, url: config.registryUrl, cookie }),
  };
}
