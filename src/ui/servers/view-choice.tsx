import { LayoutGrid, Rows3 } from 'lucide-react';
import { useId } from 'react';
import { t } from '../words/words.ts';
import { type ServerView, serverViews } from './server-view.ts';

const faces = {
  table: { icon: Rows3, label: t('As a table') },
  cards: { icon: LayoutGrid, label: t('As cards') },
} as const satisfies Record<ServerView, unknown>;

/** Two radio buttons drawn as icons: the servers as a table, or as cards. */
export function ViewChoice({
  chosen,
  onChoose,
}: {
  chosen: ServerView;
  onChoose: (view: ServerView) => void;
}) {
  const name = useId();
  return (
    <fieldset className="flex h-8 items-center rounded-md border border-line p-0.5">
      <legend className="sr-only">{t('How the servers are shown')}</legend>
      {serverViews.map((view) => {
        const { icon: Icon, label } = faces[view];
        return (
          <label
            key={view}
            title={label}
            className="relative grid h-6.5 w-7 place-items-center rounded-sm text-quiet hover:text-ink has-checked:bg-hover has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              checked={chosen === view}
              onChange={() => onChoose(view)}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            <Icon size={15} aria-hidden />
            <span className="sr-only">{label}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
