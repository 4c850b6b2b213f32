/** Runs jobs of the same key one after the other, each when the one before has ended, however it ended. */
export type InTurn = <T>(key: string, job: () => Promise<T>) => Promise<T>;

/** Makes it; keys without a job take no room. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return (key, job) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(job);
    const done = turn
      .catch(() => {})
      .finally(() => {
        if (last.get(key) === done) last.delete(key);
      });
    last.set(key, done);
    return turn;
  };
}
