import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseScopes } from '../../access/scope-set.ts';
import { scopesFor, settingsIn } from './files.ts';
import { settingsBlock } from './settings-block.ts';

const { into: withBlock, outOf: withoutBlock } = settingsBlock('entra');
const settings = { ENTRA_CLIENT_SECRET: "a~b#c'd".replace("'", ''), SECRET_KEY: 'k' };

test('settings are written in a block, and other lines stay where they are', () => {
  const text = withBlock('# mine\nLOG_LEVEL=debug\n', settings);
  expect(text).toMatch(/^# mine\nLOG_LEVEL=debug\n\n# >>> mcp-gateway setup entra/);
  expect(settingsIn(text)).toEqual({ LOG_LEVEL: 'debug', ...settings });
  expect(withBlock(text, settings)).toBe(text);
});

test('a line that names one of the settings is set aside, and comes back', () => {
  const before = 'SECRET_KEY=old\nexport ENTRA_CLIENT_SECRET=older\n';
  const text = withBlock(before, settings);
  expect(settingsIn(text)).toEqual(settings);
  expect(withoutBlock(text)).toBe(before);
});

test('without the block, whatever was there is there again', () => {
  const line = fc.oneof(
    fc.constantFrom('', '# a comment', 'SECRET_KEY=x', 'A=1', ' B = "two words"'),
    fc.stringMatching(/^[A-Z_]{1,8}=[a-z0-9]{0,8}$/),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const trimmed = lines.join('\n').trimEnd();
      const before = trimmed === '' ? '' : `${trimmed}\n`;
      expect(withoutBlock(withBlock(before, settings))).toBe(before);
      expect(settingsIn(withBlock(before, settings))).toMatchObject(settings);
    }),
  );
});

test('the scopes file has our groups and none of the demo tenant', () => {
  const example = readFileSync('examples/scopes.yml', 'utf8');
  const id = '11111111-0000-4000-8000-000000000001';
  const text = scopesFor(example, { admin: { id, name: 'Ours' } });
  const groups = [...parseScopes(text, 'scopes.yml').values()].flatMap(({ groupMappings }) => groupMappings);
  expect(new Set(groups)).toEqual(new Set([id]));
  expect(text).toContain('# Ours');
});

test('the blocks of two providers stand in one file, and each goes without the other', () => {
  const [entra, keycloak] = [settingsBlock('entra'), settingsBlock('keycloak')];
  const before = 'AUTH_PROVIDER=okta\n';
  const first = entra.into(before, { AUTH_PROVIDER: 'entra', ENTRA_CLIENT_ID: 'e' });
  const both = keycloak.into(first, { AUTH_PROVIDER: 'entra,keycloak', KEYCLOAK_CLIENT_ID: 'k' });
  expect(settingsIn(both)).toEqual({
    ...{ AUTH_PROVIDER: 'entra,keycloak', ENTRA_CLIENT_ID: 'e', KEYCLOAK_CLIENT_ID: 'k' },
  });
  expect(keycloak.outOf(both)).toBe(first);
  expect(settingsIn(entra.outOf(keycloak.outOf(both)))).toEqual({ AUTH_PROVIDER: 'okta' });
});
