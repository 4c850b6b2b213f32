import type { ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PageProblem } from '../controls/problem.tsx';

import { Mark } from './mark.tsx';
import { ThemeChoice } from './theme-choice.tsx';

/** The frame of the pages before and after a session: the mark, one narrow column, the theme. */
export function Outside({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex items-center justify-between px-4 py-3 sm:px-6">
        <span className="flex items-center gap-2 font-semibold">
          <Mark />
          MCP Gateway &amp; Registry
        </span>
        <ThemeChoice />
      </header>
      <main
        id="main"
        tabIndex={-1}
        className="mx-auto w-full max-w-md flex-1 px-4 pt-[12vh] pb-12 outline-none"
      >
        {children}
      </main>
    </div>
  );
}

/** A page that could not be opened where there is no frame yet, because who is here could not be told. */
export function OutsideProblem(props: ErrorComponentProps) {
  return (
    <Outside>
      <PageProblem {...props} />
    </Outside>
  );
}
