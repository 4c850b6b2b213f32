import { expect, test } from 'vitest';
import { virtualServerDefinition } from '../../contract/servers/virtual-servers.ts';
import { routeOf } from '../gateway/gateway.test-support.ts';
import { resolve } from '../registry/virtual-servers/resolve.ts';
import { locate } from './locate.ts';

const definition = virtualServerDefinition.parse({
  ...{ server_name: 'x', path: '/virtual/x', members: [{ backend_server_path: '/docs' }] },
});

function serverOf(uriTemplate: string, uri: string): string | undefined {
  const offers = { capabilities: {}, prompts: [], resources: [], resourceTemplates: [{ uriTemplate }] };
  const resolved = resolve(definition, () =>
    routeOf('docs', new URL('http://127.0.0.1:9'), { offers } as never),
  );
  return locate(resolved, { resource: uri })?.item.server;
}

test.each([
  ['a://{x}', 'a://one', true],
  ['a://{x}', 'a://', false],
  ['a://{x}', 'a://one/two', false],
  ['b://{x}', 'a://one', false],
  ['a://{x}/end', 'a://one/end', true],
  ['a://{x}/end', 'a://one/two/end', false],
  ['a://{+x}/end', 'a://one/two/end', true],
  ['a://{x}{?q}', 'a://one', true],
  ['a://{x}{?q}', 'a://one?q=a/b', true],
  ['a://{x}{?q}{&r}', 'a://one?q=1&r=2', true],
  ['a://{x}-{y}', 'a://1-2-3', true],
  ['a://{x}-{y}', 'a://1', false],
  ['a://{x}(.*)', 'a://1(.*)', true],
  ['a://{x}(.*)', 'a://1anything', false],
])('by the template %s, %s is found: %s', (template, uri, isFound) => {
  expect(serverOf(template, uri) === 'docs').toBe(isFound);
});

test('a template that a member made to be slow takes no time', () => {
  const template = `x://${'{a}a'.repeat(30)}!`;
  const before = process.cpuUsage();
  expect(serverOf(template, `x://${'a'.repeat(4_000)}`)).toBeUndefined();
  expect(serverOf(template, `x://${'ba'.repeat(30)}!`)).toBe('docs');
  // By backtracking it would take longer than anybody waits.
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
});

test('many templates and many long addresses take no time either', () => {
  const resourceTemplates = Array.from({ length: 2_000 }, (_, at) => ({
    uriTemplate: `x://{+a}{+b}${at}{c}!`,
  }));
  const offers = { capabilities: {}, prompts: [], resources: [], resourceTemplates };
  const resolved = resolve(definition, () =>
    routeOf('docs', new URL('http://127.0.0.1:9'), { offers } as never),
  );
  const before = process.cpuUsage();
  for (let times = 0; times < 300; times += 1)
    expect(locate(resolved, { resource: `x://${'a'.repeat(4_000)}` })).toBeUndefined();
  expect(locate(resolved, { resource: 'x://ab0c!' })?.item.server).toBe('docs');
  // Without a limit it takes minutes.
  expect(process.cpuUsage(before).user).toBeLessThan(20_000_000);
});
