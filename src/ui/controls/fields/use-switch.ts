import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { t } from '../../words/words.ts';
import { saidBy } from '../problem.tsx';
import { announce } from '../toasts.tsx';

/** What is switched on and off. */
interface Switched<Answer> {
  /** Not shared by anything else that is switched. */
  readonly id: string;
  readonly name: string;
  readonly on: boolean;
  readonly send: (enabled: boolean) => Promise<Answer>;
  /** Whether it is on, says the answer. */
  readonly isOn: (answer: Answer) => boolean;
  /** What on this page tells whether it is on. */
  readonly told: readonly QueryKey[];
  readonly show: (answer: Answer) => void;
}

/**
 * Switches a thing: what was asked last is shown at once, taken back when refused, and announced either way.
 * No click is lost: one that comes before the answer to another is sent after it.
 */
export function useSwitch<Answer>({ id, name, on, send, isOn, told, show }: Switched<Answer>) {
  const queries = useQueryClient();
  const change = useMutation({
    scope: { id },
    mutationFn: send,
    onSuccess: async (answer) => {
      // What was asked before the answer would show the state before it.
      await Promise.all(told.map((queryKey) => queries.cancelQueries({ queryKey, exact: true })));
      show(answer);
      const now = isOn(answer);
      announce('done', t(now ? '{name} is now enabled.' : '{name} is now disabled.', { name }), {
        words: t('Undo'),
        about: id,
        run: () => change.mutate(!now),
      });
    },
    onError: (error, enabled) => {
      announce(
        'failed',
        t(enabled ? '{name} could not be enabled. {detail}' : '{name} could not be disabled. {detail}', {
          name,
          detail: saidBy(error).detail,
        }),
      );
    },
    onSettled: () => {
      // Not waited for: what is shown depends on the answer alone.
      for (const queryKey of told) void queries.invalidateQueries({ queryKey });
    },
  });
  return {
    on: change.isPending ? change.variables : on,
    change: (enabled: boolean) => change.mutate(enabled),
  };
}
