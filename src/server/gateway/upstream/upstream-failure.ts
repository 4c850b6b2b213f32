import { Failure } from '../../failure/errors.ts';

/** The failure that an error of the connection to a server, or of reading its answer, amounts to. */
export function upstreamFailure(error: Error & { code?: unknown }): Failure {
  if (error instanceof Failure) return error;
  const code = String(error.code ?? '');
  const cause = { cause: error };
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new Failure('upstream_timeout', 'The server did not accept a connection in time.', cause);
  if (code.startsWith('ERR_PROXY_'))
    return new Failure('upstream_unreachable', 'The forward proxy did not connect to the server.', cause);
  if (
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    error.name === 'HTTPParserError' ||
    code.includes('CONTENT_LENGTH')
  )
    return new Failure('upstream_invalid', 'The server returned a response that is not valid HTTP.', cause);
  return new Failure(
    'upstream_unreachable',
    'The server could not be reached, or it closed the connection.',
    cause,
  );
}
