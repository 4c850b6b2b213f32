import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, whyNoBrowser } from '../browser.ts';
import { ageGroups } from '../harness.ts';
import { admin } from './admin.ts';
import { type RealmGateway, startRealmGateway } from './gateway.ts';
import { makePerson } from './realm.ts';
import { meOf, signInAs as signIn } from './sign-in.ts';

const realm = 'people';
let gateway: RealmGateway;
let browser: Browser;
const pages: Page[] = [];
const missing = process.env.CI === 'true' ? undefined : whyNoBrowser();

beforeAll(async () => {
  if (missing) return;
  [browser, gateway] = await Promise.all([launchBrowser(), startRealmGateway(realm)]);
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
});
beforeEach((context) => {
  if (missing) context.skip(missing);
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
});

async function signInAs(username: string): Promise<Page> {
  const page = await signIn(username, browser, gateway);
  pages.push(page);
  return page;
}

test('a person signs in on the page of Keycloak and has the groups of the realm', async () => {
  await makePerson(realm, 'ada', [gateway.realm.groups.admins, gateway.realm.groups.users]);
  const page = await signInAs('ada');
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(await meOf(page)).toMatchObject({
    username: 'ada',
    groups: ['mcp-admins', 'mcp-users'],
    scopes: expect.arrayContaining(['mcp-registry-admin']),
  });
});

test('a person who is taken out of a group loses it when the groups are read anew', async () => {
  const { admins, users } = gateway.realm.groups;
  const id = await makePerson(realm, 'bob', [admins, users]);
  const page = await signInAs('bob');
  await admin('DELETE', `/${realm}/users/${id}/groups/${admins}`);
  expect((await meOf(page)).groups).toEqual(['mcp-admins', 'mcp-users']);
  ageGroups(gateway);
  expect((await meOf(page)).groups).toEqual(['mcp-users']);
});

test('a person whose account is disabled is out when the groups are read anew', async () => {
  const id = await makePerson(realm, 'eve', [gateway.realm.groups.users]);
  const page = await signInAs('eve');
  await admin('PUT', `/${realm}/users/${id}`, { enabled: false });
  ageGroups(gateway);
  expect(await page.evaluate("fetch('/api/auth/me').then((answer) => answer.status)")).toBe(401);
});

test('signing out ends the session at Keycloak too: the next sign-in asks for the password', async () => {
  await makePerson(realm, 'carl', [gateway.realm.groups.users]);
  const page = await signInAs('carl');
  await page.getByRole('button', { name: /carl/ }).first().click();
  await page.getByText('Sign out').first().click();
  await page.waitForURL(`${gateway.url}/signed-out`);
  await page.getByRole('link', { name: 'Sign in' }).first().click();
  await page.getByRole('link', { name: 'Sign in with Keycloak' }).click();
  await page.locator('#password').waitFor();
});
