import { Star } from 'lucide-react';
import { t } from '../words/words.ts';
import { useFavourites } from './use-favourites.ts';

/** Keeps a server as a favourite, or no more. */
export function FavouriteStar({ path, name }: { path: string; name: string }) {
  const { paths, change } = useFavourites();
  const on = paths.includes(path);
  const words = on ? t('Remove {name} from favourites', { name }) : t('Add {name} to favourites', { name });
  return (
    <button
      type="button"
      aria-pressed={on}
      aria-label={words}
      title={words}
      onClick={() => change({ path, name, add: !on })}
      className="relative grid size-7 shrink-0 place-items-center rounded-md text-quiet hover:bg-chosen hover:text-ink"
    >
      <Star size={15} aria-hidden className={on ? 'fill-warn text-warn' : ''} />
    </button>
  );
}
