/** One step: it looks at what is there, so it can be taken again at any time and after any crash. */
export interface Step<World> {
  readonly id: string;
  readonly title: string;
  /** What would be changed, a line each; nothing when all is in place. */
  plan(world: World): Promise<readonly string[]>;
  /** Changes it. Called only when there is something to change. */
  apply(world: World): Promise<void>;
  /** Takes back what it made; answers a line for each thing that is gone, or says it at once to `removed`. */
  undo?(world: World, removed: (what: string) => void): Promise<readonly string[]>;
}
