/** A fault that the emulator plays until it is removed or has happened `times` times. */
export type Fault = {
  id: string;
  kind: string;
  /** Only for this client or resource. */
  appId?: string;
  /** Only for paths that contain this text. */
  path?: string;
  /** How often it still happens; absent means always. */
  times?: number;
  /** Only to every so many requests that fit; absent means to all. */
  every?: number;
  [setting: string]: unknown;
};

/** The faults in force. */
export type Faults = {
  list(): Fault[];
  add(fault: Omit<Fault, 'id'>): Fault;
  remove(id: string): boolean;
  clear(): void;
  /** Resolves when the fault is removed, with all or alone; one that has happened as often as it should stays until then. */
  untilRemoved(fault: Fault): Promise<void>;
  /** The first fault of a kind that fits; counts it as happened. */
  take(kind: string, where?: { appId?: string | undefined; path?: string | undefined }): Fault | undefined;
};

/** Makes an empty list of faults. */
export function makeFaults(): Faults {
  let faults: Fault[] = [];
  let made = 0;
  const passed = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  const release = (id: string): void => {
    for (const goOn of waiting.get(id) ?? []) goOn();
    waiting.delete(id);
  };
  const isDue = ({ id, every }: Fault): boolean => {
    if (every === undefined) return true;
    const count = (passed.get(id) ?? 0) + 1;
    passed.set(id, count);
    return count % every === 0;
  };
  const fits = (
    fault: Fault,
    kind: string,
    where: { appId?: string | undefined; path?: string | undefined },
  ) =>
    fault.kind === kind &&
    (fault.appId === undefined || fault.appId === where.appId) &&
    (fault.path === undefined || (where.path ?? '').includes(fault.path));
  return {
    list: () => [...faults],
    add: (parts) => {
      made += 1;
      const fault = { ...parts, id: `fault-${made}` } as Fault;
      faults.push(fault);
      return fault;
    },
    remove: (id) => {
      release(id);
      const before = faults.length;
      faults = faults.filter((fault) => fault.id !== id);
      return faults.length < before;
    },
    clear: () => {
      faults = [];
      for (const id of [...waiting.keys()]) release(id);
    },
    untilRemoved: ({ id }) => new Promise((goOn) => void waiting.set(id, [...(waiting.get(id) ?? []), goOn])),
    take: (kind, where = {}) => {
      const fault = faults.find((candidate) => fits(candidate, kind, where) && isDue(candidate));
      if (fault?.times === undefined) return fault;
      fault.times -= 1;
      if (fault.times <= 0) faults = faults.filter((other) => other !== fault);
      return fault;
    },
  };
}
