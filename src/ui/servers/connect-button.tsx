import { Plug } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import type { Server } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { t } from '../words/words.ts';

const loadConnect = () => import('../connect/connect.tsx');
const Connect = lazy(() => loadConnect().then(({ Connect: component }) => ({ default: component })));

/** Opens what a program needs to connect to a server; `names` says in the button which one, where there are several. */
export function ConnectButton({ server, names = false }: { server: Server; names?: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        look={names ? 'plain' : 'primary'}
        onPointerEnter={() => void loadConnect()}
        onFocus={() => void loadConnect()}
        onClick={() => setOpen(true)}
      >
        <Plug size={15} aria-hidden />
        {t('Connect')}
        {names && <span className="sr-only"> {server.server_name}</span>}
      </Button>
      {open && (
        <Suspense>
          <Connect server={server} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
