import { setImmediate } from 'node:timers/promises';
import { type AuditEventInFull, type AuditFilters, auditColumns } from '../../../contract/audit.ts';
import { csvLine } from '../../../contract/values/csv.ts';
import type { Db } from '../../db/tables.ts';
import type { EventPlace } from './cursor.ts';
import { readPage } from './store.ts';

/** The formats of an export, each with its media type and how it writes. */
const formats = {
  jsonl: {
    type: 'application/x-ndjson',
    head: '',
    line: (event: AuditEventInFull) => `${JSON.stringify(event)}\n`,
  },
  csv: {
    type: 'text/csv; charset=utf-8',
    head: csvLine(auditColumns),
    line: (event: AuditEventInFull) => csvLine(auditColumns.map((column) => event[column])),
  },
} as const;

/** One of the formats of an export. */
export type Format = keyof typeof formats;

const pageSize = 500;

/** The media type and the file name of an export made at that time. */
export function exportHeaders(format: Format, now: number): Record<string, string> {
  const stamp = new Date(now).toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '-');
  return {
    'content-type': formats[format].type,
    'content-disposition': `attachment; filename="audit-export-${stamp}.${format}"`,
  };
}

/**
 * Events as a stream of bytes: a page of the trail at a time, and the next one only when the reader has taken the last, so
 * that no more than a page is ever held.
 */
export function exportStream(
  db: Db,
  filters: AuditFilters,
  { format, limit }: { readonly format: Format; readonly limit: number },
): ReadableStream<Uint8Array> {
  const { head, line } = formats[format];
  const bytes = new TextEncoder();
  let before: EventPlace | null = null;
  let left = limit;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (head !== '') controller.enqueue(bytes.encode(head));
      },
      async pull(controller) {
        // A page in which nothing is found goes on to the next one, with room for other requests in between.
        for (;;) {
          await setImmediate();
          const { events, next } = await readPage(db, filters, { before, limit: Math.min(pageSize, left) });
          left -= events.length;
          before = next;
          if (events.length > 0) controller.enqueue(bytes.encode(events.map(line).join('')));
          if (next === null || left === 0) return controller.close();
          if (events.length > 0) return;
        }
      },
    },
    { highWaterMark: 1 },
  );
}
