import { useEffect, useState } from 'react';
import { language, t } from '../words/words.ts';

const units: [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];
const words = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'long' });
const full = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });

/** The distance of `iso` from `now` (ms) in words: `5 minutes ago`, `in 8 hours`, `just now`. */
function distance(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  for (const [unit, size] of units)
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  return seconds > 0 ? t('in under a minute') : t('just now');
}

/** A time as its distance from now, kept up to date; the exact one in the title. */
export function RelativeTime({ iso }: { iso: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={iso} title={full.format(new Date(iso))}>
      {distance(iso, Math.max(now, Date.now()))}
    </time>
  );
}
