/** Resolves when it is the turn of who asks. */
export type Turn = (who: string) => Promise<void>;

/**
 * Lets one request of the control plane start in each turn of the event loop, so that calls of tools wait for one such request at
 * most. Who sends many stands in line for them alone: of all who wait each has one turn before anybody has another.
 */
export function createTurns(): Turn {
  const lines = new Map<string, (() => void)[]>();
  let isTurning = false;
  const turn = (): void => {
    const [first] = lines;
    if (!first) {
      isTurning = false;
      return;
    }
    const [who, line] = first;
    lines.delete(who);
    line.shift()?.();
    if (line.length > 0) lines.set(who, line);
    setImmediate(turn);
  };
  return (who) =>
    new Promise((resolve) => {
      const line = lines.get(who);
      if (line) line.push(resolve);
      else lines.set(who, [resolve]);
      if (isTurning) return;
      isTurning = true;
      setImmediate(turn);
    });
}

/** Places for what takes long, so many for each. */
export interface Slots {
  /** Resolves with how to leave when there is a place; `undefined` at once where none is free and waiting makes no sense. */
  take(who: string, waits: boolean): Promise<(() => void) | undefined>;
}

/** Gives everybody so many places at a time; who has them all waits for one of their own. */
export function createSlots(each: number): Slots {
  const held = new Map<string, { taken: number; readonly waiting: (() => void)[] }>();
  const leaving = (who: string): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const own = held.get(who);
      const next = own?.waiting.shift();
      if (next || !own) return next?.();
      own.taken -= 1;
      if (own.taken === 0) held.delete(who);
    };
  };
  return {
    async take(who, waits) {
      const own = held.get(who) ?? { taken: 0, waiting: [] };
      held.set(who, own);
      if (own.taken < each) own.taken += 1;
      else if (waits) await new Promise<void>((resolve) => own.waiting.push(resolve));
      else return undefined;
      return leaving(who);
    },
  };
}

/** The same bytes; `over` is called once when they have been read, were given up or failed. */
export function whenOver(stream: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          over();
          throw error;
        }
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
