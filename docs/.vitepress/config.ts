import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { transformerStyleToClass } from '@shikijs/transformers';
import { defineConfig } from 'vitepress';
import about from '../../package.json' with { type: 'json' };
import { contents } from './contents.ts';
import { forStrictPages } from './strict-pages.ts';

// The gateway forbids inline styles: the colours of code become classes, written to a file at the end.
const colours = transformerStyleToClass({ classPrefix: 'c-' });
const decisions = readdirSync(join(import.meta.dirname, '../decisions'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.replace(/\.md$/, ''));

/** Text that Vue must not take for one of its expressions. */
const literal = (html: string): string => html.replaceAll('{{', '&#123;&#123;');

export default defineConfig({
  title: 'MCP Gateway & Registry',
  description: 'Documentation of the MCP gateway and registry',
  base: '/docs/',
  outDir: '../dist/docs',
  cacheDir: '../.cache/vitepress',
  cleanUrls: true,
  metaChunk: true,
  // Else each page adds a style element for a moment, which the policy forbids.
  appearance: { disableTransition: false },
  // test/docs.test.ts checks every link and heading, also those to files outside this folder.
  ignoreDeadLinks: true,
  head: [['link', { rel: 'stylesheet', href: '/docs/code-colours.css' }]],
  markdown: {
    html: false,
    codeTransformers: [colours],
    config(md) {
      md.core.ruler.before('normalize', 'without-comments', (state) => {
        state.src = state.src.replace(/^<!--[\s\S]*?-->\n?/gm, '');
      });
      // Links to files of the repository have nowhere to go on a site that must work offline: their text stays.
      md.core.ruler.push('links-within', (state) => {
        for (const { children } of state.tokens) {
          const open: boolean[] = [];
          for (const token of children ?? []) {
            if (token.type === 'link_open') {
              const target = within(String(token.attrGet('href')), state.env.relativePath);
              open.push(target !== undefined);
              if (target === undefined) Object.assign(token, { type: 'text', content: '', nesting: 0 });
              else token.attrSet('href', target);
            }
            if (token.type === 'link_close' && open.pop() === false)
              Object.assign(token, { type: 'text', content: '', nesting: 0 });
          }
        }
      });
      // Columns of tables are aligned by a class.
      md.core.ruler.push('styles', (state) => {
        for (const token of state.tokens) {
          const style = token.attrGet('style');
          if (style === null) continue;
          token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'style');
          token.attrJoin('class', style.replace('text-align:', 'align-'));
        }
      });
      const { text } = md.renderer.rules;
      md.renderer.rules.text = (...args) => literal(text?.(...args) ?? '');
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Connect', link: '/connect/' },
      { text: 'Deploy', link: '/deploy/checklist' },
      { text: 'Reference', link: '/reference/cli' },
      { text: about.version, link: '/changelog' },
    ],
    sidebar: [
      ...contents.map(({ text, pages }) => ({
        text,
        collapsed: text !== 'Start' && text !== 'Connect a client',
        items: pages.map(([title, page]) => ({
          text: title,
          link: `/${page.replace(/(^|\/)index$/, '$1')}`,
        })),
      })),
      {
        text: 'Decisions',
        collapsed: true,
        items: decisions.map((name) => ({
          text: name.replace(/^0*(\d+)-/, '$1. ').replaceAll('-', ' '),
          link: `/decisions/${name}`,
        })),
      },
    ],
  },
  buildEnd: ({ outDir }) => forStrictPages(outDir, colours.getCSS()),
});

/** Where a link of a page leads on the site; undefined for files that are not on it. */
function within(href: string, page: string): string | undefined {
  if (/^(?:https?:|mailto:|#)/.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const target = join('/docs', page, '..', decodeURI(path));
  const elsewhere: Record<string, string> = {
    '/CHANGELOG.md': '/changelog',
    '/README.md': '/',
    '/CONTRIBUTING.md': '/contribute/first-change',
    '/SECURITY.md': '/hardening#report-a-vulnerability',
  };
  if (elsewhere[target]) return `/docs${elsewhere[target]}`;
  if (target === '/docs' || target.startsWith('/docs/')) {
    if (/\.md$/.test(target)) return href;
    return /\/$/.test(path) ? `${href}index.md${anchor ? `#${anchor}` : ''}` : href;
  }
  return undefined;
}
