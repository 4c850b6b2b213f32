import { openApi } from './api.ts';
import type { Run } from './command.ts';
import { fields } from './output/table.ts';

/** The action of `config`: what the registry tells anybody of itself. */
export async function showConfig({ registryUrl, output }: Run): Promise<void> {
  const anybody = await openApi(registryUrl, () => ({}), output.debug);
  const [{ version }, { providers, evaluation }, { sign_in }] = await Promise.all([
    anybody('system.version'),
    anybody('auth.providers'),
    anybody('auth.commandLine'),
  ]);
  const config = { registry_url: registryUrl, version, evaluation, providers, command_line: sign_in };
  output.result(config, (paint) =>
    fields(
      [
        ['Registry', registryUrl],
        ['Version', version],
        ['Evaluation mode', evaluation],
        ['Sign-in', providers.map(({ display_name }) => display_name).join(', ') || 'none'],
        ['mcp-gateway login', sign_in ? `ready (${sign_in.provider})` : 'not set up'],
      ],
      paint,
    ),
  );
}
