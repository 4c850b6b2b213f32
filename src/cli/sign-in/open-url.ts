import { spawn } from 'node:child_process';

/** Opens a URL in the browser of whoever sits there, as well as can be: whoever sees nothing has the address. */
export function openUrl(url: string): void {
  const [command = 'xdg-open', ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open'];
  const child = spawn(command, [...before, url], { detached: true, stdio: 'ignore' });
  child.once('error', () => undefined);
  child.unref();
}
