import { asFailure } from '../../failure/errors.ts';

/** Texts that mean something to somebody on the way: OData, URLs, paths, shells, terminals, readers. */
export const hostile: readonly (readonly [string, string])[] = [
  ['a quote', "o'brien"],
  ['an OData filter', "x' or startswith(displayName,'a') or displayName eq 'x"],
  ['an OData function', "') or true or startswith(displayName,'"],
  ['a path', '../../users'],
  ['an encoded path', '..%2F..%2Fusers%3F$top=999'],
  ['a query', 'x?$filter=true&$select=passwordProfile'],
  ['a fragment', 'x#y'],
  ['an alternate key', "(appId='9a7e3a70-0000-4000-8000-000000000001')"],
  ['a look-alike in Cyrillic', 'а' + 'lice@contoso.example'],
  ['a full-width look-alike', 'ａlice@contoso.example'],
  ['a right-to-left override', '\u202Ealice'],
  ['10 kB', 'x'.repeat(10_000)],
  ['a template', '{{constructor}}<%= 7*7 %>'],
  ['a spreadsheet formula', '=cmd|calc!A1'],
  ['markup', '<img src=x onerror=alert(1)>'],
];

/** What became of a call: its answer, or the code of the refusal; anything that is no refusal is thrown. */
export async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    const isOfTheSchema = error instanceof Error && error.constructor.name.includes('ZodError');
    const { code } = asFailure(error);
    if (code === 'internal' && !isOfTheSchema) throw error;
    return isOfTheSchema ? 'invalid_input' : code;
  }
}

/** How hostile texts may be refused. */
export const refusals = ['invalid_input', 'not_found', 'directory_refused'];
