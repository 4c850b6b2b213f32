/** Everything that has to be closed, in the reverse order of its opening. */
export interface Ending {
  /** Remembers how to close what was just opened. */
  defer(close: () => unknown): void;
  /** Closes all of it, the newest first, each waited for. */
  end(): Promise<void>;
}

/** Makes an ending with nothing to close yet. */
export function createEnding(): Ending {
  const closers: (() => unknown)[] = [];
  return {
    defer: (close) => void closers.push(close),
    async end() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
