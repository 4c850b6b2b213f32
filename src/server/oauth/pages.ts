import type { Context, Payload } from 'oidc-provider';

/** Text as HTML may show it. */
export function escaped(text: unknown): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return String(text).replace(/[&<>"']/g, (one) => entities[one] ?? '');
}

/** What a page says: its title, what stands under the product's name, and where it goes on by itself. */
export interface Page {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** A path of ours that the browser goes on to at once. */
  readonly continueTo?: string;
}

/** A page of the authorization server: plain HTML without scripts, in the product's look. */
export function pageOf({ title, body, continueTo }: Page): string {
  const refresh =
    continueTo === undefined ? '' : `<meta http-equiv="refresh" content="0; url=${escaped(continueTo)}">`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh}<title>${escaped(title)} · MCP Gateway</title>
<link rel="stylesheet" href="/oauth/style.css">
</head>
<body>
<main>
<p class="product">MCP Gateway &amp; Registry</p>
<h1>${escaped(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

/** Headers of every page: never kept, never framed, nothing from elsewhere. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
};

/** What to do about an error, by its code, for the person in front of the page. */
const remedies: Readonly<Record<string, string>> = {
  invalid_client:
    'The gateway does not know this program any more, or an administrator blocked it. Remove the server from the program, add it again and sign in; if that does not help, ask an administrator.',
  invalid_redirect_uri:
    'The program wants its answer sent to an address that it did not register. Remove the server from the program and add it again.',
  invalid_target:
    'The program asked for something that is no server of this gateway. Check the address of the server.',
  invalid_request:
    'The program sent a request that this gateway does not accept. Update the program and try again.',
  session_not_found: 'This sign-in was used already or took too long. Start it again in your program.',
};

/** Shows an error that cannot be sent to the client, because its redirect cannot be trusted. */
export function renderErrorPage(ctx: Context, out: Payload): void {
  for (const [name, value] of Object.entries(pageHeaders)) ctx.set(name, value);
  ctx.type = 'html';
  ctx.body = errorPage(String(out.error ?? 'server_error'), String(out.error_description ?? ''));
}

/** Shows an error that the program would hear, with where that is: only the person goes there. */
export function renderLeavingPage(ctx: Context, to: string): void {
  for (const [name, value] of Object.entries(pageHeaders)) ctx.set(name, value);
  ctx.type = 'html';
  const { host, search, hash } = new URL(to);
  const code = new URLSearchParams(hash === '' ? search : hash.slice(1)).get('error') ?? 'server_error';
  ctx.body = pageOf({
    title: 'The sign-in cannot continue',
    body: `<p>${escaped(remedies[code] ?? 'Start the sign-in again in your program.')}</p>
<p>The program is at <strong>${escaped(host)}</strong>, which is not this gateway. <a href="${escaped(to)}" rel="noreferrer">Go back to it</a> only if you came from there.</p>
<p class="fine">For your administrator: <code>${escaped(code)}</code></p>`,
  });
}

/** A page that says that a sign-in cannot go on, why, and what to do. */
export function errorPage(code: string, description: string): string {
  const remedy = remedies[code] ?? 'Start the sign-in again in your program.';
  return pageOf({
    title: 'The sign-in cannot continue',
    body: `<p>${escaped(remedy)}</p>
<p class="fine">For your administrator: <code>${escaped(code)}</code> ${escaped(description)}</p>`,
  });
}

/** The style of the pages; its colours are those of src/ui/style/tokens.css, which a test compares. */
export const styleSheet = `:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f6f4, #121315);
  --raised: light-dark(#ffffff, #1a1c1f);
  --line: light-dark(#dfdeda, #2c2f34);
  --edge: light-dark(#85847e, #747981);
  --ink: light-dark(#1b1c1e, #ececea);
  --quiet: light-dark(#595a5d, #a5a8ad);
  --inverse: light-dark(#ffffff, #121315);
  --accent: light-dark(#1a56b4, #8ab4ff);
  --warn: light-dark(#7f4c00, #f0b958);
  --warn-soft: light-dark(#fbf0da, #2e2410);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 0.875rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
main {
  max-width: 30rem;
  margin: 8vh auto 2rem;
  padding: 1.5rem 2rem 2rem;
  background: var(--raised);
  border: 1px solid var(--line);
  border-radius: 10px;
}
.product { margin: 0 0 1rem; color: var(--quiet); font-size: 0.75rem; }
h1 { margin: 0 0 0.75rem; font-size: 1.25rem; line-height: 1.75rem; font-weight: 600; }
h2 { margin: 1.25rem 0 0.25rem; font-size: 0.875rem; font-weight: 600; }
p, ul { margin: 0 0 0.75rem; }
ul { padding-left: 1.25rem; }
dl { margin: 0 0 1rem; display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.78125rem; }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
label { display: block; padding: 0.375rem 0; cursor: pointer; }
input[type="text"], select {
  width: 100%; padding: 0.5rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--edge); border-radius: 6px;
}
button, .button {
  display: inline-block; margin: 0.25rem 0.5rem 0.25rem 0; padding: 0.5rem 1rem; font: inherit; font-weight: 600;
  color: var(--inverse); background: var(--accent); border: 1px solid var(--accent); border-radius: 6px;
  cursor: pointer; text-decoration: none;
}
button.second { color: var(--ink); background: var(--raised); border-color: var(--edge); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.warn { padding: 0.625rem 0.75rem; color: var(--warn); background: var(--warn-soft); border-radius: 6px; }
.fine { color: var(--quiet); font-size: 0.75rem; }
`;
