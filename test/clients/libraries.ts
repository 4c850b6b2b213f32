import { type Driver, type Era, startDriver } from './driver.ts';
import { type Key, pinned } from './pinned.ts';
import { type Stage, whyAbsent } from './stage.ts';
import { mcpRemoteDriver, typescriptDriver } from './typescript.ts';

/** A client library, and how to start it. */
export interface Library {
  readonly name: string;
  readonly version: string;
  readonly eras: readonly Era[];
  readonly absent: string | undefined;
  start(): Driver;
}

const [before, now] = ['2025-11-25', '2026-07-28'] as const;

/** Every client library that is tried; those that sign in do so in the browser of a stage. */
export function librariesOn(stage: () => Pick<Stage, 'browser'>): readonly Library[] {
  const installed = (key: Key, ...eras: Era[]): Library => ({
    ...{ ...pinned[key], eras, absent: whyAbsent(key) },
    start: () => startDriver(key, stage().browser.open, { ...stage().browser.environment }),
  });
  const typescript = (generation: 1 | 2, version: string, ...eras: Era[]): Library => ({
    ...{ name: `TypeScript SDK ${generation}`, version, eras, absent: undefined },
    start: () => typescriptDriver(generation, stage().browser.open),
  });
  return [
    typescript(1, '1.32.2', before),
    typescript(2, '2.4.0', before, now),
    {
      ...{ ...pinned['mcp-remote'], eras: [before], absent: whyAbsent('mcp-remote') },
      start: () => mcpRemoteDriver(stage().browser.environment),
    },
    installed('mcp1', before),
    installed('mcp2', before, now),
    installed('fastmcp2', before),
    installed('fastmcp4', before, now),
    installed('go', before, now),
  ];
}
