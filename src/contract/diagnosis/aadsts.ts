import { type AadstsRow, aadstsRows } from './aadsts-rows.ts';

/** What an AADSTS code means here and what to do about it. */
export interface AadstsHelp extends Omit<AadstsRow, 'codes' | 'retryable'> {
  readonly code: number;
  readonly retryable: boolean;
}

/** Help by code. */
export const aadsts: ReadonlyMap<number, AadstsHelp> = new Map(
  aadstsRows.flatMap(({ codes, retryable = false, ...row }) =>
    codes.map((code): [number, AadstsHelp] => [code, { code, retryable, ...row }]),
  ),
);

/** What Microsoft's support and the sign-in logs ask for. */
export interface AadstsTrace {
  readonly traceId?: string;
  readonly correlationId?: string;
  readonly timestamp?: string;
}

/** The code in the words of Entra ID, or in the `error_codes` of a token answer; undefined when there is none. */
export function aadstsCodeIn(answer: unknown): number | undefined {
  if (typeof answer === 'string') {
    const found = /AADSTS(\d{4,9})\b/.exec(answer)?.[1];
    return found === undefined ? undefined : Number(found);
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { error_codes: codes, error_description: words } = answer as Record<string, unknown>;
  const [first] = Array.isArray(codes) ? codes : [];
  return typeof first === 'number' ? first : aadstsCodeIn(typeof words === 'string' ? words : undefined);
}

/** The help for the code in a text or a token answer; undefined without a code or for one that is not known. */
export function aadstsHelpIn(answer: unknown): AadstsHelp | undefined {
  return aadsts.get(aadstsCodeIn(answer) ?? Number.NaN);
}

/** Whether a code says nothing about who asks, although it comes as a refusal: the same request came too often. */
export function isPassing(code: number | undefined): boolean {
  return code === 50196;
}

/** Trace id, correlation id and time in the words of Entra ID. */
export function aadstsTraceIn(text: string): AadstsTrace {
  const guid = '([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})';
  const [traceId, correlationId] = ['Trace', 'Correlation'].map(
    (name) => new RegExp(`${name} ID: ${guid}`).exec(text)?.[1],
  );
  const timestamp = /Timestamp: (\d{4}-\d\d-\d\d[ T][\d:.]+Z)/.exec(text)?.[1];
  return {
    ...(traceId ? { traceId } : {}),
    ...(correlationId ? { correlationId } : {}),
    ...(timestamp ? { timestamp } : {}),
  };
}

/** One line for logs and errors: code, what happened, and the first thing to do. */
export function aadstsLine({ code, title, steps }: AadstsHelp): string {
  return `AADSTS${code}: ${title}. ${steps.join(' ')}`;
}

/** The troubleshooting table of docs/providers/entra.md. */
export function renderAadsts(): string {
  const rows = aadstsRows.map(({ codes, title, cause, steps, docsAnchor }) => {
    const remedy = `${steps.join(' ')} [More](#${docsAnchor})`;
    return `| ${codes.join(', ')} | ${title} | ${cause} | ${remedy} |`;
  });
  return ['| AADSTS | what happened | why | what to do |', '|---|---|---|---|', ...rows].join('\n');
}
