import type { KyselyPlugin } from 'kysely';
import type { Db } from './tables.ts';

/** The database, with the kind and the table of every statement that goes to it, such as `Update tokens`. */
export function watched(db: Db): { db: Db; said: string[] } {
  const said: string[] = [];
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      const table = JSON.stringify(node).match(/"identifier":\{"kind":"IdentifierNode","name":"(\w+)"/)?.[1];
      said.push(`${node.kind.replace('QueryNode', '')} ${table}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { db: db.withPlugin(plugin) as Db, said };
}
