import { rowsOf, type SchemaRow } from '../../contract/values/schema-rows.ts';
import { t } from '../words/words.ts';

const indents = ['', 'pl-4', 'pl-8', 'pl-12', 'pl-16'];

/** The parameters of a tool, or the members of a body, as a table in words, from their JSON schema. */
export function SchemaTable({
  schema,
  document,
  caption,
  none = t('No parameters.'),
  head = t('Parameter'),
  silent = false,
}: {
  schema: unknown;
  /** Where references are looked up, when that is not the schema itself. */
  document?: unknown;
  caption: string;
  /** What is said when there is no member. */
  none?: string;
  /** What a row is called. */
  head?: string;
  /** Leaves unsaid that a row has no description. */
  silent?: boolean;
}) {
  const rows = rowsOf(schema, document);
  if (rows.length === 0) return <p className="text-quiet">{none}</p>;
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="sr-only">{caption}</caption>
      <thead className="text-meta text-quiet max-sm:sr-only">
        <tr className="border-b border-line">
          <th scope="col" className="w-2/5 py-1 pr-4 font-medium">
            {head}
          </th>
          <th scope="col" className="py-1 font-medium">
            {t('Meaning')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names repeat at different depths, and the order is fixed
          <Row key={index} row={row} silent={silent} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, silent }: { row: SchemaRow; silent: boolean }) {
  return (
    <tr className="border-b border-line align-top last:border-0">
      <th scope="row" className={`py-1.5 pr-4 font-normal ${indents[row.depth] ?? ''}`}>
        <code className="font-mono text-code font-semibold">{row.name}</code>
        <span className="block text-meta text-quiet">
          {row.type}
          {row.required && <span className="text-ink">{t(', required')}</span>}
        </span>
      </th>
      <td className="py-1.5">
        {row.description && <p className="whitespace-pre-line">{row.description}</p>}
        {row.notes.length > 0 && <p className="text-meta text-quiet">{row.notes.join('; ')}</p>}
        {!silent && !row.description && row.notes.length === 0 && (
          <span className="text-quiet">{t('no description')}</span>
        )}
      </td>
    </tr>
  );
}
