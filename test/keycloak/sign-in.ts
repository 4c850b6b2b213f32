import type { Browser, Page } from 'playwright-core';
import { openPage } from '../browser.ts';
import type { TestGateway } from '../harness.ts';
import { keycloakUrl } from './admin.ts';
import { password } from './realm.ts';

/** Signs a person of the realm in on the page of Keycloak; the page is back at the gateway then. */
export async function signInAs(username: string, browser: Browser, gateway: TestGateway): Promise<Page> {
  const { page } = await openPage(browser, [gateway.url, keycloakUrl]);
  page.setDefaultTimeout(30_000);
  await page.goto(gateway.url);
  await page.getByRole('link', { name: 'Sign in with Keycloak' }).click();
  await page.locator('#username').fill(username);
  await page.locator('#password').fill(password);
  await page.locator('#kc-login').click();
  await page.waitForURL((url) => url.origin === gateway.url && !url.pathname.startsWith('/oauth2/'));
  return page;
}

/** What the gateway says of whoever is signed in there. */
export const meOf = (page: Page): Promise<{ username: string; groups: string[]; scopes: string[] }> =>
  page.evaluate("fetch('/api/auth/me').then((answer) => answer.json())");
