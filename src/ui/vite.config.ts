import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type ProxyOptions, type Rolldown } from 'vite';

/** Holds back the first paint until the script has put the chosen theme on the page, so that no other one flashes up. */
const paintAfterTheme: Plugin = {
  name: 'paint-after-theme',
  enforce: 'post',
  transformIndexHtml: (html) =>
    html.replace('<script type="module"', '<script blocking="render" type="module"'),
};

/**
 * Puts whatever the first page needs into one script: what it shares with later pages would else be some fifty small ones,
 * each compressed by itself.
 */
function firstScript(id: string, context: Rolldown.ChunkingContext): string | null {
  const seen = new Set<string>();
  const isNeeded = (one: string): boolean => {
    const found = context.getModuleInfo(one);
    if (!found || seen.has(one)) return false;
    seen.add(one);
    return found.isEntry || found.importers.some(isNeeded);
  };
  return isNeeded(id) ? 'first' : null;
}

const gateway: ProxyOptions = {
  target: 'http://localhost:8080',
  // The gateway answers only to its own name and takes changes only from its own pages.
  changeOrigin: true,
  configure: (proxy) =>
    proxy.on('proxyReq', (request) => request.setHeader('origin', 'http://localhost:8080')),
};

/** Builds the UI into `dist/ui`; in development, passes what is not a page to a gateway on port 8080. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react(), tailwindcss(), paintAfterTheme],
  build: {
    outDir: '../../dist/ui',
    emptyOutDir: true,
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    // The content security policy allows no data: URLs for scripts, styles and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: firstScript, debugName: 'first' }] } } },
  },
  server: {
    proxy: { '/api': gateway, '/oauth2': gateway, '/logout': gateway, '/health': gateway },
  },
});
