import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cli, folderWith } from '../../../test/cli-trial.ts';

/** What is typed, and what must be offered then. */
const lines: [string, string[]][] = [
  ['mcp-gateway ', ['server', 'agent', 'scope', 'start']],
  ['mcp-gateway server ', ['list', 'register', 'enable']],
  ['mcp-gateway --json server lis', ['list']],
  ['mcp-gateway server list --quer', ['--query']],
  ['mcp-gateway server list -o ', ['table', 'wide', 'json', 'name']],
  ['mcp-gateway --registry-url http://x server li', ['list']],
  ['mcp-gateway toggle --enabled ', ['true', 'false']],
  ['mcp-gateway completion f', ['fish']],
];

const scripts = new Map<string, string>();
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) scripts.set(shell, (await cli(['completion', shell])).out);
});

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** Runs a script from standard input in a shell and returns the words that it offers, one a line. */
function offered(shell: string, argv: string[], script: string): string[] {
  const { stdout, stderr } = spawnSync(shell, argv, { encoding: 'utf8', input: script });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
}

function quoted(line: string): string {
  return line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ');
}

describe.skipIf(!has('bash'))('bash', () => {
  const ask = (line: string): string[] => {
    const at = line.split(' ').length - 1;
    return offered(
      'bash',
      ['--norc'],
      `${scripts.get('bash')}\nCOMP_WORDS=(${quoted(line)}); COMP_CWORD=${at}; _mcp_gateway; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  };
  test.each(lines)('completes %j', (line, expected) => {
    expect(ask(line)).toEqual(expect.arrayContaining(expected));
  });
  test('earlier names complete where no noun fits, and are not offered before', () => {
    expect(ask('mcp-gateway token-r')).toEqual(['token-revoke']);
    expect(ask('mcp-gateway ')).not.toContain('token-revoke');
    expect(ask('mcp-gateway token-revoke --i')).toEqual(['--id']);
  });
});

describe.skipIf(!has('zsh'))('zsh', () => {
  // The functions of zsh's completion system print what they are given; which of it fits is their own affair.
  const stubs = `
compdef() { : }
_files() { echo FILES }
_describe() { local one; for one in "\${(@P)2}"; do echo "\${one%%:*}"; done }
compadd() { shift; printf '%s\\n' "$@" }
`;
  test.each(lines)('completes %j', (line, expected) => {
    const count = line.split(' ').length;
    const script = `${stubs}\n${scripts.get('zsh')}\nwords=(${quoted(line)}); CURRENT=${count}; _mcp_gateway`;
    expect(offered('zsh', ['--no-rcs'], script)).toEqual(expect.arrayContaining(expected));
  });
});

describe.skipIf(!has('fish'))('fish', () => {
  test.each(lines)('completes %j', async (line, expected) => {
    const folder = await folderWith();
    await writeFile(join(folder, 'script.fish'), scripts.get('fish') ?? '');
    const script = `source ${join(folder, 'script.fish')}; complete -C '${line}'`;
    expect(offered('fish', ['--no-config', '-c', script], '')).toEqual(expect.arrayContaining(expected));
  });
});

test('every script knows the nouns, their verbs, and every earlier name; another shell is refused', async () => {
  for (const script of scripts.values())
    for (const word of ['rotate-secret', 'token-revoke', 'registry-url', 'api_key'])
      expect(script).toContain(word);
  expect((await cli(['completion', 'tcsh'])).code).toBe(2);
});
