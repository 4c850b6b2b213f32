/** The date and time in a time zone, as `2026-11-23 20:15:03 GMT+01:00 (Europe/Berlin)`; undefined when there is no such zone. */
export function localTime(at: number, zone: string): string | undefined {
  // Intl also takes offsets such as +01:00, which name no zone.
  if (!/^[A-Za-z]/.test(zone)) return undefined;
  try {
    const parts = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const offset = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
      .formatToParts(at)
      .find((part) => part.type === 'timeZoneName');
    // Some versions of ICU write the zero offset as plain GMT.
    const written = offset?.value === 'GMT' ? 'GMT+00:00' : offset?.value;
    return `${parts.format(at)} ${written} (${parts.resolvedOptions().timeZone})`;
  } catch {
    return undefined;
  }
}

/** Up to three zones whose city is `name`, or whose name contains it. */
export function nearestZones(name: string): string[] {
  const wanted = name.trim().toLowerCase().replaceAll(' ', '_');
  if (wanted.length < 3) return [];
  const zones = Intl.supportedValuesOf('timeZone');
  const cities = zones.filter((zone) => zone.toLowerCase().endsWith(`/${wanted}`));
  return (cities.length > 0 ? cities : zones.filter((zone) => zone.toLowerCase().includes(wanted))).slice(
    0,
    3,
  );
}
