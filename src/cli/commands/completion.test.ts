import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { cli } from '../../../test/cli-trial.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;

test.skipIf(!hasBash).each([
  ['mcp-gateway ', ['start', 'list', 'healthcheck']],
  ['mcp-gateway --json tog', ['toggle']],
  ['mcp-gateway list --quer', ['--query']],
  ['mcp-gateway toggle --enabled ', ['true', 'false']],
  ['mcp-gateway completion f', ['fish']],
])('bash completes %j', async (line, expected) => {
  const { code, out } = await cli(['completion', 'bash']);
  expect(code).toBe(0);
  const words = line.split(' ').map((word) => `'${word}'`);
  const script = `${out}
COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _mcp_gateway; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(expected));
});

test('zsh and fish scripts name every command, another shell is refused', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { out } = await cli(['completion', shell]);
    expect(out).toContain('token-revoke');
    expect(out).toContain('registry-url');
    expect(out).toContain('api_key');
    expect(out).not.toContain('all-agents');
  }
  expect((await cli(['completion', 'tcsh'])).code).toBe(2);
});
