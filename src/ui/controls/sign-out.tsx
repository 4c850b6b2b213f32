import { LogOut } from 'lucide-react';
import { useState } from 'react';
import { signOut } from '../api.ts';
import { t } from '../words/words.ts';
import { Button } from './button.tsx';
import { announce } from './toasts.tsx';

/** Signs out and leaves the page. */
export function SignOut() {
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      await signOut();
    } catch (error) {
      announce('failed', error instanceof Error ? error.message : t('Signing out did not work. Try again.'));
      setBusy(false);
    }
  };
  return (
    <Button busy={busy} onClick={() => void start()}>
      <LogOut size={15} aria-hidden />
      {t('Sign out')}
    </Button>
  );
}
