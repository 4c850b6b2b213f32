import type { TestProject } from 'vitest/node';
import { openPostgres } from '../src/server/db/postgres/open.ts';
import { startPostgres } from './postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The address of a database that has been migrated, to be copied. */
    postgres: string;
  }
}

/** Starts one server for the whole run; returns how to stop it. */
export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  const url = await server.create('template_of_tests');
  const open = await openPostgres({
    ...{ url, directUrl: null, ca: null, client: null, passwordFile: null, poolSize: 2 },
  });
  await open.close();
  project.provide('postgres', url);
  return () => server.close();
}
