/** What else is known about a trouble, beside its message. */
export interface About {
  /** 1: it failed; 2: wrong usage. */
  exitCode?: 1 | 2;
  /** What the reader can do about it. */
  remedy?: string;
  /** Single faults, one line each. */
  faults?: readonly string[];
  /** The server's stable code, its HTTP status, and the id to look up in its log. */
  code?: string;
  status?: number;
  correlationId?: string;
  cause?: unknown;
}

/** A command that ends without its result, in words for the person who typed it. */
export class Trouble extends Error {
  readonly about: About;
  constructor(message: string, about: About = {}) {
    super(message, { cause: about.cause });
    this.name = 'Trouble';
    this.about = about;
  }
}

/** Wrong usage of a command: exit code 2. */
export function misuse(message: string, remedy?: string): Trouble {
  return new Trouble(message, { exitCode: 2, ...(remedy ? { remedy } : {}) });
}

/** The trouble that any error amounts to; faulty settings (`faults`) and input that cannot be used get exit code 2. */
export function asTrouble(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  if (!(error instanceof Error)) return new Trouble(String(error));
  const faults = faultsOf(error);
  // An error with faults may list them in its message too: its first line is the message then.
  const message = faults ? (error.message.split('\n')[0] ?? '').replace(/:$/, '.') : error.message;
  return new Trouble(message || error.name, {
    cause: error,
    ...(faults ? { exitCode: 2 as const, faults } : {}),
    ...('code' in error && error.code === 'invalid_input' ? { exitCode: 2 as const } : {}),
  });
}

function faultsOf(error: Error): string[] | undefined {
  if (!('faults' in error) || !Array.isArray(error.faults) || error.faults.length === 0) return undefined;
  return error.faults.every((fault) => typeof fault === 'string') ? error.faults : undefined;
}
