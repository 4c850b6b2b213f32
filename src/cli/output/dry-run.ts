import type { Api } from '../../contract/client.ts';
import { plainJson, plainLine } from '../../contract/values/plain-text.ts';
import type { Output } from './output.ts';

/** The first change that a dry run came to; it ends the command. */
export class DryRun extends Error {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  constructor(request: DryRun['request']) {
    super('dry run');
    this.request = request;
  }
}

const secret = /secret|password|credential$|token$|custom_headers/;

/** A client that reads, and ends with a {@link DryRun} instead of changing; what would be removed must exist. */
export function dryRunning(api: Api): Api {
  return async (id, call = {}) => {
    const { routes } = await import('../../contract/routes.ts');
    const { method, path } = routes[id];
    if (method === 'GET') return api(id, call);
    const looks = id.replace(/\.[^.]+$/, '.get');
    const params = call.params ?? {};
    if (method === 'DELETE' && looks in routes && Object.keys(params).length > 0)
      await api(looks as 'servers.get', { params });
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => (params[name] ?? '').replace(/^\//, ''));
    throw new DryRun({
      method,
      path: filled,
      ...(call.body === undefined ? {} : { body: masked(call.body) }),
    });
  };
}

/** Shows what a command would have changed; exit code 0. */
export function showDryRun({ request }: DryRun, output: Output): number {
  const { method, path, body } = request;
  output.result({ dry_run: true, ...request }, () =>
    [plainLine(`Would send ${method} ${path}`), ...(body === undefined ? [] : [plainJson(body)])].join('\n'),
  );
  output.note('Dry run: nothing was changed.');
  return 0;
}

/** A body without its secrets. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secret.test(name) && inner ? '(secret)' : masked(inner),
    ]),
  );
}
