import type { StoredClient } from '../clients/clients.ts';
import { receiverOf } from '../clients/redirects.ts';
import { escaped, type Page, pageOf } from '../pages.ts';

/** What the consent page shows. */
export interface ConsentView {
  readonly client: StoredClient;
  /** Where the code is sent; undefined for a device, which asks for its tokens itself. */
  readonly redirectUri: string | undefined;
  /** What the client will reach, in words. */
  readonly reach: {
    readonly title: string;
    readonly url: string;
    readonly everything: boolean;
    /** Whether it is one server that makes calls at every other one. */
    readonly leadsOn: boolean;
  };
  readonly scopes: readonly string[];
  /** Of what can be narrowed, what was chosen the last time. */
  readonly onlyReading: boolean;
  readonly onlyAt: string | null;
  /** The endpoints to one of which the person may narrow it, such as `/everything`. */
  readonly places: readonly string[];
  readonly days: number;
  /** Who is signed in; undefined before. */
  readonly person: { readonly username: string } | undefined;
  readonly providers: readonly { readonly name: string; readonly displayName: string }[];
  /** Where the form is sent, and what it says besides the choices. */
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
}

/** The page on which a person says whether a program may act for them, before any provider is asked (confused deputy). */
export function consentPage(view: ConsentView): string {
  const { client, person, reach } = view;
  const anchor = anchorOf(view);
  const hidden = Object.entries(view.hidden).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  const body = `<p>A program wants to use this gateway${person ? ` as <strong>${escaped(person.username)}</strong>` : ' as you'}. Allow it only if you have just started this yourself.</p>
<dl>
<dt>Program</dt><dd>${anchor.who}</dd>
<dt>Calls itself</dt><dd>“<bdi>${escaped(client.name)}</bdi>”</dd>
<dt>Reaches</dt><dd>${reach.everything ? 'every server that you may use' : escaped(reach.title)}<br><code>${escaped(reach.url)}</code></dd>
<dt>For</dt><dd>${view.days} days, or until you end it under your account</dd>
</dl>
${anchor.warning === '' ? '' : `<p class="warn">${anchor.warning}</p>`}
${reach.everything ? '<p class="warn">This program did not say which server it needs, so it would reach all of yours.</p>' : ''}
${reach.leadsOn ? '<p class="warn">Through it, this program reaches every server that you may use.</p>' : ''}
<form method="post" action="${escaped(view.action)}">
${hidden.join('\n')}
${places(view)}${choices(view)}
${buttons(view)}
</form>
${view.scopes.includes('registry') ? '<p class="fine">It may also use the registry as you: search, register and change what your scopes let you, unless it may only look.</p>' : ''}
<p class="fine">It never gets your password, and never more than you can do yourself.</p>`;
  return pageOf({ title: person ? `Allow ${anchor.title}?` : 'Sign in for a program', body });
}

/** Whom a person can recognise: the host that a client's document or redirect is at; its name is only its own word. */
function anchorOf({ client, redirectUri }: ConsentView): { title: string; who: string; warning: string } {
  if (redirectUri === undefined) return deviceAnchorOf(client);
  const receiver = receiverOf(redirectUri);
  const onThisComputer =
    receiver.kind === 'https'
      ? ''
      : 'Any program on this computer could pretend to be it: allow it only if you have just started it.';
  if (client.kind === 'administrator')
    return {
      title: client.name,
      who: `${escaped(client.name)}, set up by your administrator`,
      warning: onThisComputer,
    };
  if (client.kind === 'document') {
    const { host } = new URL(client.id);
    const sendsTo = receiver.kind === 'https' && receiver.name !== host ? receiver.name : undefined;
    const where =
      receiver.kind === 'https'
        ? sendsTo === undefined
          ? ''
          : `, which has the sign-in sent to <strong>${escaped(sendsTo)}</strong>`
        : ', on this computer';
    return {
      // The access goes to whoever gets the code; the document may stand where anybody can put one.
      title: sendsTo ?? host,
      who: `<strong>${escaped(host)}</strong>${where}`,
      warning:
        sendsTo === undefined
          ? onThisComputer
          : `The access goes to ${escaped(sendsTo)}: allow it only if you know that this is the program's own address.`,
    };
  }
  if (receiver.kind === 'https')
    return {
      title: receiver.name,
      who: `<strong>${escaped(receiver.name)}</strong>, on the web`,
      warning: '',
    };
  const who =
    receiver.kind === 'loopback'
      ? 'a program on <strong>this computer</strong>'
      : `the program of <strong>${escaped(receiver.name)}</strong> addresses`;
  return { title: 'a program on this computer', who, warning: onThisComputer };
}

/** Anybody can start a sign-in on a device of theirs and send somebody the code (RFC 8628, section 5.4). */
function deviceAnchorOf(client: StoredClient): { title: string; who: string; warning: string } {
  const title = client.kind === 'document' ? new URL(client.id).host : 'a program on another device';
  const known =
    client.kind === 'administrator'
      ? `${escaped(client.name)}, set up by your administrator, `
      : client.kind === 'document'
        ? `<strong>${escaped(title)}</strong>, `
        : 'a program ';
  return {
    title: client.kind === 'administrator' ? client.name : title,
    who: `${known}on <strong>another device</strong>`,
    warning:
      'Allow it only if the code is on a device in front of you, where you have just started this. If someone sent you the code, cancel: they would act as you.',
  };
}

/** Where the program did not say which server it needs, the person may. */
function places({ reach, person, places: known, onlyAt }: ConsentView): string {
  if (!reach.everything || (person && known.length === 0)) return '';
  const option = (at: string): string =>
    `<option value="${escaped(at)}"${at === onlyAt ? ' selected' : ''}>${escaped(at.slice(1))}</option>`;
  const radio = (value: string, text: string, checked: boolean): string =>
    `<label><input type="radio" name="place" value="${value}"${checked ? ' checked' : ''}> ${text}</label>`;
  const one = person
    ? `${radio('one', 'only this server', onlyAt !== null)}
<select name="at" aria-label="The only server that it reaches">${known.map(option).join('')}</select>`
    : radio('one', 'only one server, which you choose once you are signed in', false);
  return `<fieldset><legend>It reaches</legend>
${radio('all', 'every server that you may use', onlyAt === null)}
${one}
</fieldset>
`;
}

function choices({ scopes, onlyReading }: ConsentView): string {
  if (!scopes.includes('mcp:call')) return '<p>It may look and read, and call tools that only read.</p>';
  const radio = (value: string, text: string, checked: boolean): string =>
    `<label><input type="radio" name="reach" value="${value}"${checked ? ' checked' : ''}> ${text}</label>`;
  return `<fieldset><legend>It may</legend>
${radio('all', 'look, read and call tools, within what you may do', !onlyReading)}
${radio('read', 'only look, read and call tools that only read', onlyReading)}
</fieldset>`;
}

function buttons({ person, providers }: ConsentView): string {
  const deny = '<button class="second" name="decision" value="deny">Cancel</button>';
  if (person) return `<p><button name="decision" value="allow">Allow</button>${deny}</p>`;
  const ways = providers.map(
    ({ name, displayName }) =>
      `<button name="decision" value="allow:${escaped(name)}">Allow and sign in with ${escaped(displayName)}</button>`,
  );
  return `<p>${ways.join('\n')}${deny}</p>`;
}

/** A page that only goes on: forms may not lead elsewhere (CSP `form-action`), so this leads there. */
export function goingOnPage(to: string, title: string): string {
  const page: Page = {
    title,
    body: `<p>If nothing happens, <a href="${escaped(to)}">continue here</a>.</p>`,
    continueTo: to,
  };
  return pageOf(page);
}

/** The page for a client that an administrator has to approve first. */
export function pendingPage(client: StoredClient, redirectUri?: string): string {
  const name = redirectUri === undefined ? 'on another device' : receiverOf(redirectUri).name;
  return pageOf({
    title: 'This program has to be approved first',
    body: `<p>An administrator of this gateway has to approve “<bdi>${escaped(client.name)}</bdi>” (${escaped(name)}) before people can sign in from it. Give them this id, then start again:</p>
<p><code>${escaped(client.id)}</code></p>
<p class="fine">They approve it with: <code>mcp-gateway client approve ${escaped(client.id)}</code></p>`,
  });
}
