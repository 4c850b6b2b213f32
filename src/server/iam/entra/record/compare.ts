import type {
  EntraComparison,
  EntraObservation,
  EntraRecord,
} from '../../../../contract/diagnosis/entra-record.ts';

/** What of the emulator is otherwise than what was recorded, question by question. */
export function compareRecords(
  recorded: EntraRecord,
  usual: EntraRecord,
  strict: EntraRecord,
): EntraComparison[] {
  const ids = [...new Set([...recorded.observations, ...usual.observations].map(({ id }) => id))];
  const find = (record: EntraRecord, id: string) => record.observations.find((one) => one.id === id);
  return ids.map((id): EntraComparison => {
    const [real, ours, worst] = [find(recorded, id), find(usual, id), find(strict, id)];
    const { asked = '' } = real ?? ours ?? {};
    if (!real || !ours)
      return {
        id,
        asked,
        verdict: 'missing',
        differences: [real ? 'not asked of the emulator' : 'not recorded'],
      };
    const differences = differencesOf(real, ours);
    if (differences.length === 0) return { id, asked, verdict: 'same', differences };
    const isStrict = worst !== undefined && differencesOf(real, worst).length === 0;
    return { id, asked, verdict: isStrict ? 'strict' : 'different', differences };
  });
}

function differencesOf(real: EntraObservation, ours: EntraObservation): string[] {
  const [recorded, emulated] = [flat(compared(real)), flat(compared(ours))];
  const places = [...new Set([...recorded.keys(), ...emulated.keys()])].sort();
  return places
    .filter((place) => recorded.get(place) !== emulated.get(place))
    .map(
      (place) =>
        `${place}: recorded ${recorded.get(place) ?? 'nothing'}, emulator ${emulated.get(place) ?? 'nothing'}`,
    );
}

/** Further headers come from proxies and connections as well. */
function compared({ status, headers, body, token }: EntraObservation): unknown {
  return { status, headers, body, ...(token ? { token } : {}) };
}

function flat(value: unknown, place = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[place, JSON.stringify(value)]]);
  const parts = Object.entries(value).flatMap(([name, one]) => [
    ...flat(one, place === '' ? name : `${place}.${name}`),
  ]);
  return new Map(parts);
}
