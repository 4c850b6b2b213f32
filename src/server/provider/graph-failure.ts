import { z } from 'zod';
import { Failure, type FailureCode } from '../failure/errors.ts';

const text = z.string().catch('');
const errorBody = z.object({
  error: z.object({
    code: text,
    message: text,
    details: z.array(z.object({ code: text, target: text })).catch([]),
    innerError: z.object({ 'request-id': text }).catch({ 'request-id': '' }),
  }),
});

/** What Microsoft Graph said when it did not do something. */
export interface GraphError {
  readonly status: number;
  /** `Request_BadRequest`, `Authorization_RequestDenied` and the like; empty when the answer was not Graph's. */
  readonly code: string;
  readonly details: readonly { readonly code: string; readonly target: string }[];
  readonly requestId: string;
}

/** A request that Microsoft Graph refused; branch on `graph`, never on the message. */
export class GraphFailure extends Failure {
  readonly graph: GraphError;
  constructor(code: FailureCode, message: string, graph: GraphError) {
    super(code, message);
    this.name = 'GraphFailure';
    this.graph = graph;
  }
}

/** What was asked, for the message. */
export interface GraphRequest {
  readonly method: string;
  readonly path: string;
  /** The permission that it takes, named when Graph answers 403. */
  readonly permission?: string | undefined;
}

/** The failure that an answer of Graph with a status of 400 or more amounts to. */
export function graphFailure(
  asked: GraphRequest,
  status: number,
  body: unknown,
  header?: string | null,
): GraphFailure {
  const read = errorBody.safeParse(body);
  const said = read.success ? read.data.error : { code: '', message: '', details: [], innerError: undefined };
  const requestId = header || said.innerError?.['request-id'] || 'none';
  const { code, message, details } = said;
  const reference = `${code || `status ${status}`}, request-id ${requestId}`;
  const [failure, words] = judge(asked, status, message);
  const doubt = isUncertainStatus(status) ? doubtAbout(asked) : '';
  return new GraphFailure(failure, `${words} (${asked.method} ${asked.path}: ${reference})${doubt}`, {
    ...{ status, code, details, requestId },
  });
}

/** Whether what was answered with that status may have been carried out all the same; 503 says that it was not. */
export function isUncertainStatus(status: number): boolean {
  return status >= 500 && status !== 503;
}

/** What has to be said of a request that may have been carried out; nothing of one that only reads. */
export function doubtAbout({ method, path }: GraphRequest): string {
  return method === 'GET' || path === '/$batch' ? '' : ' Whether it was done is not known.';
}

function judge({ permission }: GraphRequest, status: number, message: string): [FailureCode, string] {
  const said = message.replace(/\.$/, '');
  if (status === 401) return ['directory_denied', `Microsoft Graph does not accept the token: ${said}`];
  if (status === 403)
    return [
      'directory_denied',
      permission
        ? `Microsoft Graph denies this: the permission ${permission} is missing, or no one has consented to it`
        : `Microsoft Graph denies this: ${said}`,
    ];
  if (status === 404) return ['not_found', 'Microsoft Graph has no such object'];
  if (status === 409) return ['conflict', `Microsoft Graph has it already: ${said}`];
  if (status === 429)
    return ['directory_unavailable', 'Microsoft Graph asks to slow down; try again in a minute'];
  if (status >= 500) return ['directory_unavailable', 'Microsoft Graph is not available right now'];
  return ['directory_refused', `Microsoft Graph refuses this: ${said || 'it does not say why'}`];
}
