import { type Ask, page, queryAndForm, type Reply, redirect } from '../../exchange.ts';
import { findRegistration, type World } from '../../world.ts';
import type { Session } from '../memory.ts';
import { platformOf } from '../redirects.ts';
import { signedOutPage } from './pages.ts';
import { endSession } from './sign-in.ts';

/**
 * The end-session endpoint: ends the session at the emulator, calls the front-channel logout URLs of the session's
 * applications, and returns to `post_logout_redirect_uri` when one of them registered it as a redirect URI.
 */
export function logout(world: World, ask: Ask): Reply {
  const { values } = queryAndForm(ask);
  const { ended, cookie } = endSession(world, ask);
  const frames = frontChannelCalls(world, ended);
  const back = values.post_logout_redirect_uri;
  const headers = { 'set-cookie': cookie };
  const state = values.state;
  if (back && isRegistered(world, back) && frames.length === 0)
    return redirect(withState(back, state), headers);
  const refresh =
    back && isRegistered(world, back) ? { ...headers, refresh: `1; url=${withState(back, state)}` } : headers;
  return page(200, signedOutPage(frames), refresh);
}

function frontChannelCalls(world: World, session: Session | undefined): string[] {
  return (session?.appIds ?? []).flatMap((appId) => {
    const url = findRegistration(world, appId)?.application.web.logoutUrl;
    if (!session || !url || !URL.canParse(url)) return [];
    const target = new URL(url);
    target.searchParams.set('sid', session.sid);
    return [target.href];
  });
}

function isRegistered(world: World, uri: string): boolean {
  for (const tenant of world.tenants.values())
    for (const application of tenant.applications.values()) if (platformOf(application, uri)) return true;
  return false;
}

function withState(uri: string, state: string | undefined): string {
  const target = new URL(uri);
  if (state !== undefined) target.searchParams.set('state', state);
  return target.href;
}
