import { homedir } from 'node:os';
import { type ClientName, type ClientRow, clients } from './clients.ts';
import { withEntry } from './edit-config.ts';

/** Clients that need a person's own sentence on their page. */
const remarks: Partial<Record<ClientName, string>> = {
  'claude-code': `Or with its own command, which needs nothing installed:

\`\`\`sh
claude mcp add --transport http currenttime https://gateway.example.com/currenttime/mcp
\`\`\``,
  'claude-desktop':
    'Its configuration file knows programs only, so the entry starts `mcp-remote`, which connects to the gateway and opens the sign-in. Where **Settings > Connectors** is available you can add the address of the server there instead; the gateway must then be reachable from the internet.',
  vscode:
    'In the web interface, **Connect** beside a server also has an **Add to VS Code** button. VS Code may ask whether you trust the server; the address it shows is the one of the gateway.',
  cursor:
    'In the web interface, **Connect** beside a server also has an **Add to Cursor** button. Cursor registers itself with the gateway, so `OAUTH_CLIENT_REGISTRATION` must not be `off`.',
  gemini:
    'Gemini CLI compares the address with the one that the gateway announces, so use it exactly as shown.',
};

/** `docs/connect/<client>.md`: how to set a client up, from what `connect` writes. */
export async function renderClientPage(name: ClientName): Promise<string> {
  const client: ClientRow = clients[name];
  const token = client.signsIn ? '' : ' --token-env MCP_GATEWAY_TOKEN';
  const { file, format, text } = await entryOf(client, client.signsIn ? null : 'MCP_GATEWAY_TOKEN');
  const withToken = await entryOf(client, 'MCP_GATEWAY_TOKEN');
  return `# Connect ${client.title}

<!-- Generated from src/cli/connect: UPDATE_DOCS=1 npm run check -->

\`\`\`sh
mcp-gateway server connect /currenttime --client ${name}${token}
\`\`\`

This adds the server to \`${file}\` and leaves everything else in that file as it is. \`--print\` shows the result without writing it. ${client.next.replace('NAME', '`currenttime`')}

${remarks[name] ? `${remarks[name]}\n\n` : ''}## By hand

\`\`\`${format}
${text}
\`\`\`

The address of each server is on its page in the registry, and in \`mcp-gateway server get /currenttime\`.

## Signing in

${
  client.signsIn
    ? `${client.title} opens your browser for the sign-in: a page asks what ${client.title} is allowed to do, and you sign in with your company account. There is no token to copy. You can end its access at any time under **Connected clients**. See [sign-in and tokens](index.md).`
    : `${client.title} cannot sign in by itself. Create a token and keep it in an environment variable; see [sign-in and tokens](index.md).`
}

## With a token instead

Where no browser can open, use a token from **Get JWT Token** in the web interface:

\`\`\`${withToken.format}
${withToken.text}
\`\`\`

Set \`MCP_GATEWAY_TOKEN\` to the token before you start ${client.title}.

## If it does not work

${client.sse ? '' : `${client.title} needs Streamable HTTP: servers that only have SSE cannot be added.\n\n`}\`mcp-gateway gateway doctor clients --registry-url https://gateway.example.com\` checks every step of the sign-in from your machine. See also
[troubleshooting by symptom](../troubleshoot.md#a-client-cannot-connect).
`;
}

async function entryOf(client: ClientRow, tokenVariable: string | null) {
  const url = 'https://gateway.example.com/currenttime/mcp';
  const home = (...parts: string[]): string => ['~', ...parts].join('/');
  const place = client.place(
    { key: 'currenttime', url, sse: false, tokenVariable },
    { cwd: '.', home, user: false },
  );
  const text = (await withEntry('', 'currenttime', place)).trim();
  return { file: place.file.replace(homedir(), '~').replaceAll('\\', '/'), format: place.format, text };
}
