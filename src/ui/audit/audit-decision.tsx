import { Ban, Check, CircleX } from 'lucide-react';
import { decisions } from './audit-asked.ts';

const faces = {
  allow: { icon: Check, look: 'text-quiet' },
  deny: { icon: Ban, look: 'text-warn' },
  error: { icon: CircleX, look: 'text-bad' },
} as const;

/** How a request ended: a shape, a word and, where it was not allowed, a colour. */
export function AuditDecision({ decision, status }: { decision: keyof typeof faces; status: number }) {
  const { icon: Icon, look } = faces[decision];
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${look}`}>
      <Icon size={14} aria-hidden />
      {decisions[decision]} {status > 0 && <span className="text-meta">{status}</span>}
    </span>
  );
}
