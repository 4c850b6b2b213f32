import { workerData } from 'node:worker_threads';
import { secureContextOf, type TlsFiles, trustAlso } from '../../../net/connector.ts';
import { answerQuestions } from '../../../thread.ts';
import { type CheckOptions, type CheckServer, createCheck, type Finding } from './check.ts';

/** A server to look at: its endpoints' URLs, and headers (name, value, name, value) that prove who asks. */
export interface ToCheck {
  readonly mcp: string | null;
  readonly sse: string | null;
  readonly headers: readonly string[];
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
}

let check: CheckServer | undefined;

answerQuestions(({ mcp, sse, headers }: ToCheck): Promise<Finding> => {
  check ??= checkOf(workerData as CheckThreadData);
  return check({ mcp: urlOf(mcp), sse: urlOf(sse) }, headers);
});

function checkOf({ tls, proxy, extraCa, ...options }: CheckThreadData): CheckServer {
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
