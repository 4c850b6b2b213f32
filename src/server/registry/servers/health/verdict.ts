import { Failure } from '../../../failure/errors.ts';
import type { Health } from '../store.ts';

/** What went over the wire: the SDK's errors do not always tell. */
export interface Seen {
  status: number | null;
  contentType: string;
  failure: Failure | null;
  session: string | null;
}

/** What else is known of a failed check. */
export interface Circumstances {
  readonly error: unknown;
  readonly signal: AbortSignal;
  readonly speaksMcp: boolean;
  /** Whether the gateway has sent a credential. */
  readonly proves: boolean;
}

/** What a failed check means: unreachable, wanting a credential, or not an MCP server; in words without the address. */
export function verdictOn(
  seen: Seen,
  { error, signal, speaksMcp, proves }: Circumstances,
): Pick<Health, 'status' | 'reason' | 'detail'> {
  const failure = [error, seen.failure, signal.aborted ? signal.reason : null].find(
    (cause) => cause instanceof Failure,
  );
  if (failure) return { status: 'unhealthy', reason: reasonOf(failure), detail: failure.message };
  if (seen.status === 401 || seen.status === 403)
    return {
      status: 'auth-failing',
      reason: null,
      detail: `It responds, but rejects the gateway (HTTP ${seen.status}): it wants ${proves ? 'another' : 'a'} credential.`,
    };
  if (speaksMcp && seen.status !== null && seen.status < 300)
    return {
      status: 'unhealthy',
      reason: 'failing',
      detail: 'It speaks MCP, but its list of tools could not be read.',
    };
  return { status: 'unhealthy', reason: reasonFor(seen.status), detail: wordsFor(seen) };
}

function reasonOf({ code }: Failure): Health['reason'] {
  return code === 'upstream_invalid' ? 'failing' : 'unreachable';
}

function reasonFor(status: number | null): Health['reason'] {
  if (status === null) return 'unreachable';
  return status >= 500 ? 'failing' : 'not-mcp';
}

function wordsFor({ status, contentType }: Seen): string {
  if (status === null) return 'The connection failed.';
  if (status >= 300 && status < 400)
    return `It answers with a redirect (HTTP ${status}), which the gateway does not follow; register the address that it redirects to.`;
  if (status === 404 || status === 405)
    return `There is no MCP endpoint at its address (HTTP ${status}); check the path of the URL and the transport.`;
  if (status >= 500) return `It reports an error of its own (HTTP ${status}).`;
  const type = contentType.split(';')[0] || 'no content type';
  return `It answers, but not as an MCP server (HTTP ${status}, ${type}).`;
}
