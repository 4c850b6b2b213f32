import { Failure } from '../failure/errors.ts';
import type { Exchange } from '../gateway/exchange.ts';
import type { Message } from '../gateway/read/read-call.ts';
import { noteFailure } from '../gateway/refuse.ts';
import {
  invalidParams,
  type JsonObject,
  legacyVersions,
  metaKeys,
  modern,
  objectIn,
  RpcError,
  sendMessage,
  unsupportedVersion,
} from './wire.ts';

/** Whether a request is one of 2026-07-28 or later. */
export function isModernRequest({ req }: Exchange, message: Message): boolean {
  const said = message.version ?? req.headers['mcp-protocol-version'];
  return typeof said === 'string' && said >= modern;
}

/** The version that a request states; fails for one that is not spoken here. */
export function versionOf(message: Message, header: string | string[] | undefined): string | undefined {
  const said = message.version ?? (typeof header === 'string' ? header : undefined);
  if (said === undefined || said === modern || legacyVersions.includes(said)) return said;
  // Whoever begins is told which versions there are, in the answer to that.
  if (message.method === 'initialize') return undefined;
  throw new RpcError(unsupportedVersion, `The protocol version '${said.slice(0, 40)}' is not supported.`, {
    ...{ status: 400, always: true },
    // Those that go without initialize, as server/discover names them.
    data: { supported: [modern], requested: said.slice(0, 40) },
  });
}

/** Sends an error of this room, with the status that the era of the client has for it. */
export function refuseRpc(exchange: Exchange, message: Message, error: RpcError): void {
  const status = isModernRequest(exchange, message) || error.always ? error.status : 200;
  noteFailure(exchange, new Failure(status === 404 ? 'not_found' : 'bad_request', error.message));
  const { code, message: text, data } = error;
  const rpc = { code, message: text, ...(data ? { data } : {}) };
  sendMessage(exchange, JSON.stringify({ jsonrpc: '2.0', id: message.id, error: rpc }), status);
}

/** Every request of 2026-07-28 says what its client can do (section "Request metadata"). */
export function checkMeta(asked: { readonly body: Buffer; readonly message: Message }): void {
  // A look at the bytes saves reading most bodies twice.
  if (asked.body.includes(`"${metaKeys.capabilities}"`) && asked.message.version !== undefined) return;
  const meta = objectIn(paramsOf(asked), '_meta');
  if (typeof meta[metaKeys.version] !== 'string' || typeof meta[metaKeys.capabilities] !== 'object')
    throw new RpcError(
      invalidParams,
      `The request needs ${metaKeys.version} and ${metaKeys.capabilities} in its _meta.`,
      {
        status: 400,
      },
    );
}

/** The params of a request whose body is known to be JSON. */
export function paramsOf({ body }: { readonly body: Buffer }): JsonObject {
  return objectIn(JSON.parse(body.toString('utf8')), 'params');
}
