import { Link } from '@tanstack/react-router';
import { buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { Outside } from '../shell/outside.tsx';
import { t } from '../words/words.ts';

/** Where a sign-out ends. */
export function SignedOut() {
  return (
    <Outside>
      <Page title={t('You are signed out')}>
        <p className="mb-5 text-quiet">
          {t(
            'Your session on this gateway has ended. Tokens that you created keep working until they expire or are revoked.',
          )}
        </p>
        <Link to="/login" className={buttonClass('primary', 'h-10 w-full')}>
          {t('Sign in again')}
        </Link>
      </Page>
    </Outside>
  );
}
