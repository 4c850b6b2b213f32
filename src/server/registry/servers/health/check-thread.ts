import { workerData } from 'node:worker_threads';
import type { TlsFiles } from '../../../net/connector.ts';
import { answerQuestions, giveWay } from '../../../thread.ts';
import type { CheckOptions, CheckServer } from './check.ts';

/** A server to look at: its endpoints' URLs, and headers (name, value, name, value) that prove who asks. */
export interface ToCheck {
  readonly mcp: string | null;
  readonly sse: string | null;
  readonly headers: readonly string[];
  /** Names what is known of it. */
  readonly mark?: string | undefined;
}

/** What the thread starts with: the options of a check in forms that can be sent. */
export interface CheckThreadData extends Omit<CheckOptions, 'tls' | 'proxy'> {
  readonly tls: TlsFiles | null;
  readonly proxy: {
    readonly https: string | null;
    readonly http: string | null;
    readonly except: readonly string[];
  };
  /** Certificates to trust besides the usual ones (PEM). */
  readonly extraCa: string | null;
  /** Whether there is so much to check that calls must come first. */
  readonly givesWay: boolean;
}

let check: Promise<CheckServer> | undefined;

if ((workerData as CheckThreadData).givesWay) giveWay();
answerQuestions(async ({ mcp, sse, headers, mark }: ToCheck): Promise<string> => {
  check ??= checkOf(workerData as CheckThreadData);
  // Text is handed over at half the cost of what it says.
  return JSON.stringify(await (await check)({ mcp: urlOf(mcp), sse: urlOf(sse) }, headers, mark));
});

/** Loaded here, as loading takes a second of a core, which calls must not wait for. */
async function checkOf({
  tls,
  proxy,
  extraCa,
  givesWay: _,
  ...options
}: CheckThreadData): Promise<CheckServer> {
  const [{ createCheck }, { secureContextOf, trustAlso }] = await Promise.all([
    import('./check.ts'),
    import('../../../net/connector.ts'),
  ]);
  trustAlso(extraCa);
  return createCheck({
    ...options,
    ...(tls ? { tls: secureContextOf(tls) } : {}),
    proxy: { https: urlOf(proxy.https), http: urlOf(proxy.http), except: proxy.except },
  });
}

function urlOf(text: string | null): URL | null {
  return text === null ? null : new URL(text);
}
