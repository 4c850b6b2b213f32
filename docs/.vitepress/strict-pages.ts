import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes the built pages work under the content security policy of the gateway, which allows nothing inline: scripts within
 * pages become files, and the styles of elements go (the same elements get theirs from the running page).
 */
export function forStrictPages(folder: string, codeColours: string): void {
  writeFileSync(
    join(folder, 'code-colours.css'),
    `${codeColours}.align-right{text-align:right}.align-center{text-align:center}`,
  );
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.html')) continue;
    const file = join(folder, name);
    const html = readFileSync(file, 'utf8')
      .replace(
        /<script(?![^>]*\bsrc=)([^>]*)>([\s\S]*?)<\/script>/g,
        (_, attributes: string, text: string) => {
          const script = `assets/inline.${createHash('sha256').update(text).digest('hex').slice(0, 10)}.js`;
          writeFileSync(join(folder, script), text);
          return `<script${attributes} src="/docs/${script}"></script>`;
        },
      )
      .replace(/(<[a-z][^<>]*?) style="[^"]*"/g, '$1');
    writeFileSync(file, html);
  }
}
