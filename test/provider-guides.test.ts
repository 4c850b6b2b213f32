import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { knownProviders } from '../src/server/config/config-oidc.ts';
import type { Setting } from '../src/server/config/setting.ts';
import { settings } from '../src/server/config/settings.ts';

const pageOf = (name: string): string => `docs/providers/${name}.md`;
const textOf = (name: string): string => readFileSync(pageOf(name), 'utf8');
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /(?<!\.test)(?<!-support)\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join('src', name), 'utf8') }));

const headings = (text: string, level: number): string[] =>
  [...text.matchAll(new RegExp(`^#{${level}} (.+)$`, 'gm'))].map(([, heading]) => heading!);
const steps = (text: string): number[] =>
  [...text.matchAll(/^### Step (\d+): /gm)].map(([, number]) => Number(number));
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

const sections = [
  ...['Prerequisites', 'Environment', 'Groups and scopes', 'Testing', 'Troubleshooting', 'Production'],
  'Security',
];
const ofOidc = knownProviders.filter((name) => name !== 'entra');

test('every provider has its guide, and every guide a provider', () => {
  const pages = readdirSync('docs/providers')
    .map((file) => file.replace(/\.md$/, ''))
    .filter((page) => page !== 'index');
  expect(pages.sort()).toEqual([...knownProviders].sort());
});

describe.each(knownProviders)('the guide to %s', (name) => {
  const text = textOf(name);

  test('goes from prerequisites to security, and its links within lead somewhere', () => {
    expect(headings(text, 2).filter((one) => sections.includes(one))).toEqual(sections);
    expect(headings(text, 3)).toEqual(expect.arrayContaining(['A person', 'Agents and their tokens']));
    const there = [2, 3].flatMap((level) => headings(text, level).map(anchor));
    const linked = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, to]) => to!);
    expect(linked.filter((to) => !there.includes(to))).toEqual([]);
  });

  test('numbers its steps without a gap, and its own words name steps that it has', () => {
    const numbers = steps(text);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const named = [...text.matchAll(/\bsteps? (\d+)(?: (?:and|to) (\d+))?/gi)].flatMap(([, one, other]) =>
      [one, other].filter((number) => number !== undefined).map(Number),
    );
    expect(named.filter((number) => !numbers.includes(number))).toEqual([]);
  });

  // What only the command reads, and the gateway never has.
  const ofSetup = ['KEYCLOAK_SETUP_CLIENT_ID', 'KEYCLOAK_SETUP_CLIENT_SECRET'];
  test('names only settings that exist', () => {
    const named = [...text.matchAll(/\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b/g)].map(([, setting]) => setting!);
    const prefixes = /^(OIDC|KEYCLOAK|COGNITO|AUTH0|OKTA|GOOGLE|ENTRA|GROUPS|REGISTRY|AUTH|SECRET|LOG)_/;
    expect(named.filter((one) => prefixes.test(one) && !(one in settings) && !ofSetup.includes(one))).toEqual(
      [],
    );
  });
});

test.each(ofOidc)('the environment of the guide to %s names everything that the provider needs', (name) => {
  const environment = textOf(name).split('## Environment')[1]!.split('\n## ')[0]!;
  const needed = Object.entries(settings as Record<string, Setting<unknown>>)
    .filter(([, row]) => row.provider === name && row.required)
    .map(([setting]) => `\n${setting}=`);
  expect(needed.length).toBeGreaterThan(0);
  expect(needed.filter((line) => !environment.includes(line))).toEqual([]);
  expect(environment).toContain(`AUTH_PROVIDER=${name}`);
});

test.each(ofOidc)('the guide to %s has the registered address of the callback in its first steps', (name) => {
  expect(textOf(name)).toContain(`https://your-domain.com/oauth2/callback/${name}`);
});

test('every step of a guide that a message or a setting names is in that guide', () => {
  const named = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/docs\/providers\/([a-z0-9]+)\.md(?:, step (\d+))?/g)].map(([whole, page, step]) => ({
      ...{ whole: `${name}: ${whole}`, page: page! },
      step: step === undefined ? undefined : Number(step),
    })),
  );
  expect(named.filter(({ step }) => step !== undefined).length).toBeGreaterThan(8);
  const wrong = named.filter(
    ({ page, step }) =>
      !knownProviders.includes(page) || (step !== undefined && !steps(textOf(page)).includes(step)),
  );
  expect(wrong.map(({ whole }) => whole)).toEqual([]);
});

const withStep = Object.entries(settings as Record<string, Setting<unknown>>).flatMap(
  ([name, { required }]) => {
    const [, page, step] = /docs\/providers\/([a-z0-9]+)\.md, step (\d+)/.exec(required ?? '') ?? [];
    return page && step ? [{ name, page, step }] : [];
  },
);

test.each(withStep)('$name is found in step $step of the guide to $page', ({ name, page, step }) => {
  const section = textOf(page).split(`\n### Step ${step}: `)[1]!.split('\n### ')[0]!;
  expect(section).toContain(`\`${name}`);
});
