import type { User } from '../../tenant/model.ts';

/** Text made safe for HTML. */
function safe(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A whole page; each says in large letters what it is. */
function layout(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)} - Entra emulator</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f4f0;color:#1c1c1c}
header{background:#8a1c00;color:#fff;padding:.75rem 1rem;font-weight:700;text-align:center;letter-spacing:.03em}
main{max-width:30rem;margin:2rem auto;padding:1.5rem;background:#fff;border:1px solid #ccc;border-radius:.5rem}
h1{font-size:1.25rem;margin:0 0 1rem}
form{margin:0 0 .5rem}
button{font:inherit;width:100%;padding:.6rem .8rem;text-align:left;background:#fff;border:1px solid #767676;border-radius:.35rem;cursor:pointer}
button:hover,button:focus-visible{background:#eef3ff}
button.main{background:#1c3f94;color:#fff;text-align:center}
small{display:block;color:#555}
label{display:block;margin:.5rem 0}
input[type=text],input[type=password]{font:inherit;width:100%;box-sizing:border-box;padding:.4rem;border:1px solid #767676;border-radius:.35rem}
.error{color:#8a1c00}
code{overflow-wrap:anywhere}
</style></head>
<body><header role="banner">EMULATOR - not Microsoft</header>
<main><h1>${safe(title)}</h1>
${content}
</main></body></html>`;
}

type Form = { action: string; hidden: Record<string, string> };

function hiddenFields(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `<input type="hidden" name="${safe(name)}" value="${safe(value)}">`)
    .join('');
}

function form({ action, hidden }: Form, fields: string, more: Record<string, string> = {}): string {
  return `<form method="post" action="${safe(action)}">${hiddenFields({ ...hidden, ...more })}${fields}</form>`;
}

/** The sign-in page: one button per listed account, and a form for user name and password. */
export function signInPage(
  to: Form,
  people: readonly { user: User; about: string }[],
  more: { application: string; hint?: string | undefined; error?: string | undefined; declines?: boolean },
): string {
  const buttons = people.map(({ user, about }) =>
    form(
      to,
      `<button type="submit">${safe(user.displayName)}<small>${safe(user.userPrincipalName)} - ${safe(about)}</small></button>`,
      { emulator_account: user.id },
    ),
  );
  const newPassword = more.error?.startsWith('AADSTS50055')
    ? '<label>New password<input type="password" name="emulator_new_password" autocomplete="new-password"></label>'
    : '';
  const fields = `
<label>User name<input type="text" name="emulator_username" autocomplete="username" value="${safe(more.hint ?? '')}"></label>
<label>Password<input type="password" name="emulator_password" autocomplete="current-password"></label>${newPassword}
<button class="main" type="submit">Sign in</button>`;
  return layout(
    'Sign in',
    `<p>to continue to <strong>${safe(more.application)}</strong></p>
${more.error ? `<p class="error" role="alert">${safe(more.error)}</p>` : ''}
${buttons.join('\n')}
<h1>Or with a password</h1>
${form(to, fields)}
${more.declines ? form(to, '<button type="submit">This was not me</button>', { emulator_consent: 'decline' }) : ''}`,
  );
}

/** The consent page: what the application wants. */
export function consentPage(
  to: Form,
  more: { application: string; user: User; scopes: readonly string[]; canConsentForAll: boolean },
): string {
  const list = more.scopes.map((scope) => `<li>${safe(scope)}</li>`).join('');
  const forAll = more.canConsentForAll
    ? '<label><input type="checkbox" name="emulator_consent_for_all" value="yes"> Consent on behalf of your organization</label>'
    : '';
  return layout(
    'Permissions requested',
    `<p><strong>${safe(more.application)}</strong> asks ${safe(more.user.userPrincipalName)} for:</p><ul>${list}</ul>
${form(to, `${forAll}<button class="main" type="submit">Accept</button>`, { emulator_consent: 'accept' })}
${form(to, '<button type="submit">Cancel</button>', { emulator_consent: 'decline' })}`,
  );
}

/** The page on which Entra shows errors that never reach the application. */
export function errorPage(body: Record<string, unknown>): string {
  const shown = ['trace_id', 'correlation_id', 'timestamp']
    .map((name) => `<li>${name.replace('_', ' ')}: <code>${safe(String(body[name]))}</code></li>`)
    .join('');
  const message = String(body.error_description).split(' Trace ID:')[0] ?? '';
  return layout(
    'Sorry, but we are having trouble signing you in',
    `<p class="error" role="alert">${safe(message)}</p><ul>${shown}</ul>`,
  );
}

/** A page that posts parameters to the application (`response_mode=form_post`). */
export function formPostPage(action: string, values: Record<string, string>): string {
  return layout(
    'Continue',
    form({ action, hidden: values }, '<button class="main" type="submit" autofocus>Continue</button>'),
  );
}

/** The page after signing out; the frames call the other applications of the session. */
export function signedOutPage(frames: readonly string[]): string {
  const list = frames.map((url) => `<iframe hidden title="sign-out" src="${safe(url)}"></iframe>`).join('');
  return layout('You signed out', `<p>You can close this window.</p>${list}`);
}

/** The page on which a user enters the code that a device shows. */
export function deviceCodePage(action: string, error?: string): string {
  return layout(
    'Enter code',
    `${error ? `<p class="error" role="alert">${safe(error)}</p>` : ''}<form method="get" action="${safe(action)}">
<label>Code<input type="text" name="user_code" autocomplete="off"></label><button class="main" type="submit">Next</button></form>`,
  );
}

/** A page with one sentence on it. */
export function messagePage(title: string, message: string): string {
  return layout(title, `<p>${safe(message)}</p>`);
}
