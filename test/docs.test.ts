import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contents } from '../docs/.vitepress/contents.ts';
import { type ClientName, clients } from '../src/cli/connect/clients.ts';
import { renderClientPage } from '../src/cli/connect/page.ts';
import { renderAadsts } from '../src/contract/diagnosis/aadsts.ts';
import { aadstsRows } from '../src/contract/diagnosis/aadsts-rows.ts';
import { endpoints } from '../src/contract/index.ts';
import { renderSettings, settings } from '../src/server/config/settings.ts';
import { renderErrors } from '../src/server/failure/errors.ts';
import { renderApi } from '../src/server/http/openapi/reference.ts';
import { pinned } from './clients/pinned.ts';
import { questions } from './docs-questions.ts';
import { renderMessages } from './messages.ts';

/** Generated pages; `UPDATE_DOCS=1 npm run check` writes them anew. */
const generated: Record<string, () => string> = {
  'docs/reference/settings.md': renderSettings,
  'docs/reference/errors.md': renderErrors,
  'docs/reference/api.md': () => renderApi(endpoints),
  'docs/reference/messages.md': renderMessages,
};

test.each(Object.entries(generated))('%s says what the code says', (file, render) => {
  if (process.env.UPDATE_DOCS) writeFileSync(file, render());
  expect(readFileSync(file, 'utf8')).toBe(render());
});

test.each(Object.keys(clients) as ClientName[])(
  'docs/connect/%s.md says what connect writes',
  async (name) => {
    const file = `docs/connect/${name}.md`;
    const rendered = await renderClientPage(name);
    if (process.env.UPDATE_DOCS) writeFileSync(file, rendered);
    expect(readFileSync(file, 'utf8')).toBe(rendered);
  },
);

test('the troubleshooting table of the Entra guide says what the product says', () => {
  const file = 'docs/providers/entra.md';
  const [begin, end] = [
    '<!-- generated from src/contract/diagnosis/aadsts-rows.ts: aadsts -->\n',
    '\n<!-- end: aadsts -->',
  ];
  const text = readFileSync(file, 'utf8');
  const from = text.indexOf(begin) + begin.length;
  const rendered = `${text.slice(0, from)}${renderAadsts()}${text.slice(text.indexOf(end))}`;
  if (process.env.UPDATE_DOCS) writeFileSync(file, rendered);
  expect(readFileSync(file, 'utf8')).toBe(rendered);
  const anchors = [...rendered.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
  const linked = [
    ...aadstsRows.map(({ docsAnchor }) => docsAnchor),
    ...[...rendered.matchAll(/\]\(#([^)]+)\)/g)].map(([, name]) => name!),
  ];
  expect(linked.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
});

test('.env.example names only settings that exist, and every one that a guide asks for', () => {
  const named = [...readFileSync('.env.example', 'utf8').matchAll(/^#?\s?([A-Z][A-Z0-9_]+)=/gm)].map(
    ([, name]) => name,
  );
  expect(named.filter((name) => !(name! in settings))).toEqual([]);
  const ofTheGuide = [
    'AUTH_PROVIDER',
    'ENTRA_TENANT_ID',
    'ENTRA_CLIENT_ID',
    'ENTRA_CLIENT_SECRET',
    'ENTRA_ENABLED',
    'ENTRA_GROUP_ADMIN_ID',
    'ENTRA_GROUP_USERS_ID',
    'ENTRA_REDIRECT_URI',
    'REGISTRY_URL',
    'AUTH_SERVER_EXTERNAL_URL',
    'SECRET_KEY',
  ];
  expect(named).toEqual(expect.arrayContaining(ofTheGuide));
});

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('.'))
    .map((name) => join('docs', name)),
];

/** The anchors of a page, as GitHub and the site make them of its headings. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\s-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** Links of a page to others, as paths and anchors. */
function linksOf(page: string): { target: string; anchor: string | undefined }[] {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = '']) => {
    const [path = '', anchor] = link.split('#');
    return { target: path === '' ? page : join(dirname(page), path), anchor };
  });
}

test('links between the pages lead somewhere, to headings too', () => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ target, anchor }) => {
        if (!existsSync(target)) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
      })
      .map(({ target, anchor }) => `${page}: ${target}${anchor === undefined ? '' : `#${anchor}`}`),
  );
  expect(broken).toEqual([]);
});

describe('the table of contents', () => {
  const listed = contents.flatMap((part) => part.pages.map(([, page]) => `docs/${page}.md`));

  test('names every page once, and no other', () => {
    const alone = (page: string): boolean =>
      page === 'docs/changelog.md' || /^docs\/decisions\/\d/.test(page);
    const written = pages.filter((page) => page.startsWith('docs/') && !alone(page));
    expect([...listed].sort()).toEqual(written.sort());
  });

  test.each(Object.entries(questions))('has the answers to what a %s asks', (_, asked) => {
    const missing = Object.entries(asked).filter(([, answer]) => {
      const [page, anchor] = answer.split('#');
      const file = `docs/${page}.md`;
      return (
        !listed.concat(pages).includes(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor))
      );
    });
    expect(missing).toEqual([]);
  });

  test('the list of decisions names each of them', () => {
    const named = linksOf('docs/decisions/index.md').map(({ target }) => target);
    const written = pages.filter((page) => /^docs\/decisions\/\d/.test(page));
    expect([...named].sort()).toEqual(written.sort());
  });

  test('pages of the web interface are called as the navigation calls them', () => {
    const navigation = readFileSync('src/ui/shell/navigation.ts', 'utf8');
    const named = pages
      .filter((page) => page !== 'CHANGELOG.md')
      .flatMap((page) => [
        ...readFileSync(page, 'utf8').matchAll(/\b[Tt]he page \*\*([^*>]+?)(?: >[^*]*)?\*\*/g),
      ])
      .map(([, name = '']) => name.trim());
    expect(named.length).toBeGreaterThan(5);
    expect([...new Set(named)].filter((name) => !navigation.includes(`t('${name}')`))).toEqual([]);
  });

  /** The pages that are reached from the first one, each with the number of links that it takes. */
  const steps = new Map([['docs/index.md', 0]]);
  for (const [page, step] of steps)
    for (const { target } of linksOf(page)) {
      const file = target.endsWith('/') || target === 'docs' ? join(target, 'index.md') : target;
      if (file.endsWith('.md') && existsSync(file) && !steps.has(file)) steps.set(file, step + 1);
    }

  test('every page can be reached from the first one by links in three steps', () => {
    expect(listed.filter((page) => (steps.get(page) ?? 9) > 3)).toEqual([]);
  });

  test.each(Object.entries(questions))(
    'answers what a %s asks on the third page at the latest',
    (_, asked) => {
      const far = Object.entries(asked).filter(
        ([, answer]) => (steps.get(`docs/${answer.split('#')[0]}.md`) ?? 9) > 2,
      );
      expect(far).toEqual([]);
      expect(Object.keys(asked).length).toBeGreaterThanOrEqual(10);
    },
  );
});

test('the README fits one screen', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThanOrEqual(60);
});

test('nothing that we print or document runs a package of someone else', () => {
  const texts = [
    ...readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`),
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
    ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', '.env.example'],
    ...readdirSync('bin').map((name) => `bin/${name}`),
    ...readdirSync('deploy', { recursive: true, encoding: 'utf8' }).map((name) => `deploy/${name}`),
  ].filter((name) => /\.(?:tsx?|mjs|md|html|yaml|tpl|txt|service|conf|example)$/i.test(name));
  // The decision tells of the command that is not printed.
  const printing = texts.filter(
    (name) =>
      !name.includes('0050-package-name') &&
      /\b(?:npx|dlx|bunx)\s+(?:-y\s+|--yes\s+)?mcp-gateway\b/.test(readFileSync(name, 'utf8')),
  );
  expect(printing).toEqual([]);
});

test('each attack of the security model is tried by a test that is there', () => {
  const [, table = ''] = readFileSync('docs/security.md', 'utf8').split('## Attacks tried');
  const rows =
    table
      .split('\n## ', 1)[0]
      ?.match(/^\| .* \|$/gm)
      ?.slice(2) ?? [];
  const cells = rows.map((row) => row.slice(2, -2).split(' | '));
  const missing = cells.filter(([, , file = '', title = '']) => {
    const path = file.replaceAll('`', '');
    if (!existsSync(path) || title.trim().length < 10) return true;
    const text = readFileSync(path, 'utf8').replaceAll(/\s+/g, ' ');
    return !["'", '"', '`'].some((quote) => text.includes(`${quote}${title}`));
  });
  expect(missing).toEqual([]);
  const attacks = cells.map(([number]) => Number(number)).filter((number) => number > 0);
  expect(attacks).toEqual(Array.from({ length: 29 }, (_, index) => index + 1));
});

test('each third-party client that is tried is in the table of what was seen, with its version', () => {
  const page = readFileSync('docs/clients.md', 'utf8');
  const missing = Object.values(pinned).filter(
    ({ name, version }) =>
      !new RegExp(`^\\| ${name} \\| ${version} \\| [^|-][^|]* \\| yes \\| yes \\|`, 'm').test(page),
  );
  expect(missing).toEqual([]);
});
