const timestamp = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

const units = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const satisfies [Intl.RelativeTimeFormatUnit, number][];

/** Text whose ISO 8601 times are written as `3 days ago` or `in 2 hours`; without `now` (milliseconds) they stay. */
export function relativeTimes(text: string, now: number | undefined): string {
  if (now === undefined || !text.includes('T')) return text;
  return text.replace(timestamp, (time) => relative(Date.parse(time) - now) ?? time);
}

function relative(ms: number): string | undefined {
  if (Number.isNaN(ms)) return undefined;
  const seconds = Math.abs(ms) / 1000;
  const [unit, length] = units.find(([, least]) => seconds >= least) ?? [];
  if (unit === undefined || length === undefined) return ms > 0 ? 'in a moment' : 'just now';
  const count = Math.floor(seconds / length);
  const words = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return ms > 0 ? `in ${words}` : `${words} ago`;
}
