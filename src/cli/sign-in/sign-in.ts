import { Trouble } from '../trouble.ts';
import { type Browser, openBrowser, type Page } from './browse.ts';
import { decoded, type Form, formsOf } from './html-form.ts';

/** What every answer of the emulator carries, and nothing of a real identity provider's. */
const emulatorHeader = 'x-entra-emulator';
/** How many pages are filled in or passed on before giving up. */
const mostPages = 6;

/** A demo account of evaluation mode: a user name, or the part of it before the @. */
export interface Account {
  readonly name: string;
  readonly password: string;
}

/**
 * Signs a demo account in as a person would with a browser, and resolves with the registry's cookies. The password goes to
 * the emulator only: any other sign-in page ends in a trouble.
 */
export async function signIn(registryUrl: string, account: Account, send: typeof fetch): Promise<string> {
  const browser = openBrowser(send);
  let page = await browser.open(`${registryUrl}/oauth2/login/entra`);
  let typed = false;
  for (let pages = 0; pages < mostPages; pages++) {
    const forms = formsOf(page.text);
    const form = forms.find(({ passwordField }) => passwordField) ?? forms[0];
    if (!isEmulator(page) || !form) return arrived(page, registryUrl, browser);
    if (form.passwordField && typed) throw refused(page, account);
    typed ||= form.passwordField !== undefined;
    const action = new URL(form.action, page.url);
    if (form.passwordField && action.origin !== page.url.origin)
      throw new Trouble(
        `The sign-in page of ${page.url.origin} would send the password to ${action.origin}.`,
      );
    page = await browser.submit(action, filled(form, account, page));
  }
  throw new Trouble(`The sign-in pages of ${page.url.origin} lead nowhere.`);
}

function isEmulator({ headers }: Page): boolean {
  return headers.has(emulatorHeader);
}

function arrived(page: Page, registryUrl: string, browser: Browser): string {
  const { origin } = new URL(registryUrl);
  if (isEmulator(page))
    throw new Trouble(`The emulator refused to sign in: ${errorOf(page) ?? `status ${page.status}`}.`);
  const cookie = browser.cookiesFor(registryUrl);
  if (page.url.origin !== origin)
    throw new Trouble(`Signing in at ${origin} ended at ${page.url.origin}.`, {
      remedy: `If that is the same registry, use its own address: --registry-url ${page.url.origin}`,
    });
  if (!cookie)
    throw new Trouble(`Signing in failed: ${headlineOf(page) ?? `the registry answered ${page.status}`}.`);
  return cookie;
}

function filled(form: Form, account: Account, page: Page): URLSearchParams {
  const fields = new URLSearchParams([...form.preset]);
  if (form.passwordField && form.userField) fields.set(form.userField, userNameOf(account, page));
  if (form.passwordField) fields.set(form.passwordField, account.password);
  return fields;
}

/** The full user name of an account of which only the first part was given: the sign-in page lists them. */
function userNameOf({ name }: Account, page: Page): string {
  if (name.includes('@')) return name;
  const listed = [...new Set(decoded(page.text).match(/[\w.#%+-]+@[\w-]+(?:\.[\w-]+)+/g))];
  const found = listed.find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}@`));
  if (!found && listed.length > 0)
    throw new Trouble(`There is no demo account '${name}'.`, {
      remedy: `There are: ${listed.map((each) => each.split('@')[0]).join(', ')}.`,
    });
  return found ?? name;
}

function refused(page: Page, { name }: Account): Trouble {
  return new Trouble(`The emulator did not sign '${name}' in: ${errorOf(page) ?? 'it asks again'}.`, {
    remedy: 'Check --account and, if you changed the demo password, give yours with --password-stdin.',
  });
}

/** The error text of an emulator's page: the element announced as an alert, or what begins with AADSTS. */
function errorOf({ text }: Page): string | undefined {
  const found = /role="?alert"?[^>]*>([\s\S]*?)<\//.exec(text)?.[1] ?? /AADSTS\d+[^<]*/.exec(text)?.[0];
  return found === undefined ? undefined : wordsOf(found);
}

function headlineOf({ text }: Page): string | undefined {
  const found =
    /<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(text)?.[1] ?? /<title>([\s\S]*?)<\/title>/i.exec(text)?.[1];
  return found === undefined ? undefined : wordsOf(found);
}

function wordsOf(html: string): string {
  return decoded(html.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .slice(0, 300);
}
