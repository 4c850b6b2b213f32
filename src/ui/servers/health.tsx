import { CircleCheck, CircleMinus, CircleQuestionMark, CircleX, KeyRound } from 'lucide-react';
import type { Server } from '../api.ts';
import { t } from '../words/words.ts';

const faces = {
  healthy: { icon: CircleCheck, words: t('Healthy'), color: 'text-good' },
  unhealthy: { icon: CircleX, words: t('Unhealthy'), color: 'text-bad' },
  'auth-failing': { icon: KeyRound, words: t('Credential refused'), color: 'text-warn' },
  disabled: { icon: CircleMinus, words: t('Not checked'), color: 'text-quiet' },
  unknown: { icon: CircleQuestionMark, words: t('Unknown'), color: 'text-quiet' },
} as const satisfies Record<Server['health_status'], unknown>;

/** The words for a state of health. */
export function healthWords(status: Server['health_status']): string {
  return faces[status].words;
}

/** A server's health as a shape, a colour and words; the reason below when it is not healthy, unless `brief`. */
export function Health({ server, brief = false }: { server: Server; brief?: boolean }) {
  const { icon: Icon, words, color } = faces[server.health_status];
  return (
    <span className="grid min-w-0">
      <span className={`flex items-center gap-1.5 ${color}`}>
        <Icon size={15} aria-hidden className="shrink-0" />
        <span className="sr-only">{t('Health:')} </span>
        {words}
      </span>
      {!brief && server.health_detail !== null && (
        <span className="truncate text-meta text-quiet" title={server.health_detail}>
          {server.health_detail}
        </span>
      )}
    </span>
  );
}
