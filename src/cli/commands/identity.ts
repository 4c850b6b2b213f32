import { type AddCommands, addCommand, type Run } from '../command.ts';
import { fields } from '../table.ts';

/** `whoami`. */
export const addIdentityCommands: AddCommands = (program, on) => {
  addCommand(program, 'whoami', {
    summary: 'Show who you are to the registry and what you may do',
    examples: ['mcp-gateway whoami --token-file .token'],
  }).action(on(whoami));
};

async function whoami({ api, output }: Run): Promise<void> {
  const me = await (await api())('auth.me');
  output.result(me, (paint) =>
    fields(
      [
        ['User name', me.username],
        ['Name', me.name],
        ['Email', me.email],
        ['Kind', me.kind],
        ['Signed in by', `${me.auth_method} (${me.provider})`],
        ['Client', me.client_id],
        ['Administrator', me.is_admin],
        ['Groups', me.groups.join(', ') || 'none'],
        ['Scopes', me.scopes.join(', ') || 'none'],
        ['Servers', me.accessible_servers.join(', ') || 'none'],
        ...Object.entries(me.ui_permissions).map(
          ([permission, names]) => [permission, (names ?? []).join(', ')] as const,
        ),
      ],
      paint,
    ),
  );
}
