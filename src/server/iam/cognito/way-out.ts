import type { DirectoryWorld } from '../directory.ts';

/** A request of the AWS SDK, signed. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What the AWS SDK sends requests by. */
export interface WayOut {
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ response: SdkResponse }>;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly reason: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Carries the requests of the AWS SDK by the gateway's own way out: its proxy, time limits and refusals hold here too. */
export function wayOutOfSdk(world: Pick<DirectoryWorld, 'fetch'>): WayOut {
  return {
    async handle({ method, protocol, hostname, port, path, query, headers, body }, options = {}) {
      const url = new URL(`${protocol}//${hostname}${port ? `:${port}` : ''}${path}`);
      for (const [name, value] of Object.entries(query))
        for (const one of [value ?? ''].flat()) url.searchParams.append(name, one);
      // `host` and `content-length` are of the connection; the signature covers the same values.
      const { host: _, 'content-length': __, ...rest } = headers;
      const { abortSignal: signal } = options;
      const answer = await world.fetch(url, {
        ...{ method, headers: rest },
        ...(body === undefined ? {} : { body }),
        ...(signal instanceof AbortSignal ? { signal } : {}),
      });
      return {
        response: {
          statusCode: answer.status,
          reason: answer.statusText,
          headers: Object.fromEntries(answer.headers),
          body: new Uint8Array(await answer.arrayBuffer()),
        },
      };
    },
  };
}
