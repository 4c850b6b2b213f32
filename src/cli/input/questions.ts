import type { Terminal } from '../terminal.ts';
import { misuse, Trouble } from '../trouble.ts';

/** How something is asked. */
export interface Asking {
  /** What is typed is not shown. */
  readonly isSecret?: boolean;
  /** What to do instead where nobody can be asked. */
  readonly otherwise: string;
}

/** Questions to the person at the terminal, one after the other. */
export interface Questions {
  /** Asks on standard error and reads one line; a misuse without a person to ask. */
  ask(question: string, how: Asking): Promise<string>;
  /** Lets go of standard input, so that the process can end. */
  close(): Promise<void>;
}

/** Opens a conversation; standard input is touched at the first question. */
export function openQuestions({ stdin, stderr }: Pick<Terminal, 'stdin' | 'stderr'>): Questions {
  const decoder = new TextDecoder();
  let chunks: AsyncIterator<string | Uint8Array> | undefined;
  let pending = '';
  const line = async (isRaw: boolean): Promise<string> => {
    for (;;) {
      const read = isRaw ? typedIn(pending) : lineIn(pending);
      if (read) {
        pending = read.rest;
        return read.line;
      }
      chunks ??= stdin[Symbol.asyncIterator]();
      const { done, value } = await chunks.next();
      if (done) return pending;
      pending += typeof value === 'string' ? value : decoder.decode(value, { stream: true });
    }
  };
  return {
    async ask(question, { isSecret = false, otherwise }) {
      if (!stdin.isTTY)
        throw misuse('This needs an answer, but standard input is not a terminal.', otherwise);
      stderr.write(question);
      if (!isSecret) return line(false);
      stdin.setRawMode?.(true);
      try {
        return await line(stdin.setRawMode !== undefined);
      } finally {
        stdin.setRawMode?.(false);
        stderr.write('\n');
      }
    },
    async close() {
      await chunks?.return?.();
    },
  };
}

function lineIn(text: string): { line: string; rest: string } | undefined {
  const end = text.indexOf('\n');
  return end < 0 ? undefined : { line: text.slice(0, end).replace(/\r$/, ''), rest: text.slice(end + 1) };
}

/** A line of a terminal that hands over every key: it is for us to heed backspace and Ctrl-C. */
function typedIn(keys: string): { line: string; rest: string } | undefined {
  let line: string[] = [];
  for (const [at, key] of [...keys].entries()) {
    if (key === '\u0003') throw new Trouble('Interrupted.');
    if (key === '\r' || key === '\n' || key === '\u0004')
      return { line: line.join(''), rest: [...keys].slice(at + 1).join('') };
    if (key === '\u007f' || key === '\b') line.pop();
    else if (key === '\u0015') line = [];
    else if (!/\p{Cc}/u.test(key)) line.push(key);
  }
  return undefined;
}
