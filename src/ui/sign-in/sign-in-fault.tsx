import { TriangleAlert } from 'lucide-react';
import { aadstsHelpIn, aadstsTraceIn } from '../../contract/diagnosis/aadsts.ts';
import { CopyText } from '../controls/copy.tsx';
import { parts, t } from '../words/words.ts';

/** What each code of `/login?error=` means and what helps. */
const faults: Record<string, { title: string; help: string }> = {
  session_expired: {
    title: t('Your session has ended'),
    help: t('Sign in again to continue where you were.'),
  },
  no_access: {
    title: t('Your account has no access yet'),
    help: t(
      'None of its groups is mapped to a scope. Ask an administrator to add you to a group that is, then sign in again.',
    ),
  },
  oauth2_error: {
    title: t('The identity provider refused the sign-in'),
    help: t(
      'Its message is below. If you pressed Cancel, just try again; if consent or permission is missing, an administrator of the directory has to grant it.',
    ),
  },
  oauth2_init_failed: {
    title: t('The sign-in could not be started'),
    help: t(
      'The gateway could not reach the identity provider or is not set up for it. Try again in a minute; if it stays so, an administrator should check the tenant and client id.',
    ),
  },
  groups_incomplete: {
    title: t('We cannot determine your access'),
    help: t(
      'Your account is in more groups than the identity provider puts into a token, and it refuses to list them. An administrator can see below what to grant.',
    ),
  },
  groups_unavailable: {
    title: t('We cannot determine your access right now'),
    help: t('The identity provider cannot say which groups your account is in. Try again in a minute.'),
  },
  oauth2_redirect_failed: {
    title: t('The sign-in could not be started'),
    help: t('The gateway could not send you to the identity provider. Try again in a minute.'),
  },
  oauth2_callback_failed: {
    title: t('The sign-in could not be completed'),
    help: t(
      'The identity provider let you in, but its response could not be verified. An administrator finds the cause in the log by the correlation id; common ones are an expired client secret or another tenant.',
    ),
  },
  oauth2_callback_error: {
    title: t('The sign-in could not be completed'),
    help: t('The gateway could not create a session. Try again in a minute.'),
  },
  oauth2_session_invalid: {
    title: t('This sign-in took too long or was used before'),
    help: t('A sign-in must be finished within ten minutes, in the browser that started it. Start again.'),
  },
  oauth2_state_invalid: {
    title: t('This response does not belong to a sign-in that was started here'),
    help: t('That happens with an old link, the Back button or disabled cookies. Start again.'),
  },
};

/**
 * Why the last sign-in failed. Anybody may have written the code into the address, so a code without words of ours is not
 * shown; `details` and the correlation id come from the gateway.
 */
export function SignInFault({
  code,
  details,
  correlationId,
}: {
  code: string;
  details?: string;
  correlationId?: string;
}) {
  const known = Object.hasOwn(faults, code) ? faults[code] : undefined;
  const entra = aadstsHelpIn(details);
  const title = entra?.title ?? known?.title ?? t('The sign-in did not work');
  const help =
    entra?.cause ?? known?.help ?? t('Try again; if it stays so, give an administrator the code below.');
  const { correlationId: theirs, traceId } = aadstsTraceIn(details ?? '');
  const ended = code === 'session_expired';
  return (
    <div role="alert" className="mb-6 flex gap-3 rounded-md border border-warn bg-warn-soft p-3">
      <TriangleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-warn" />
      <div className="grid min-w-0 justify-items-start gap-1.5">
        <p className="font-semibold">{title}</p>
        <p>{help}</p>
        {entra && (
          <ul className="ml-4 list-disc">
            {entra.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        )}
        {details && (
          <p className="max-h-40 w-full overflow-y-auto rounded-sm bg-raised px-2 py-1 font-mono text-code">
            {details}
          </p>
        )}
        {!ended && (entra || known) && (
          <p className="text-meta">
            {parts('Code {code}', {
              code: <code className="font-mono">{entra ? `AADSTS${entra.code}` : code}</code>,
            })}
          </p>
        )}
        {correlationId && (
          <div className="flex flex-wrap items-center gap-2 text-meta">
            {t('Correlation id')} <CopyText text={correlationId} label={t('Copy correlation id')} />
          </div>
        )}
        {[
          [t('Microsoft correlation id'), theirs],
          [t('Microsoft trace id'), traceId],
        ].map(
          ([name, id]) =>
            id && (
              <div key={name} className="flex flex-wrap items-center gap-2 text-meta">
                {name} <CopyText text={id} label={t('Copy {name}', { name: String(name) })} />
              </div>
            ),
        )}
      </div>
    </div>
  );
}
