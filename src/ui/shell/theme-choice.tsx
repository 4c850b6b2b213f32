import { Monitor, Moon, Sun } from 'lucide-react';
import { useId } from 'react';
import { t } from '../words/words.ts';
import { chooseTheme, type Theme, themes, useTheme } from './theme.ts';

const faces: Record<Theme, { icon: typeof Sun; label: string }> = {
  light: { icon: Sun, label: t('Light theme') },
  dark: { icon: Moon, label: t('Dark theme') },
  system: { icon: Monitor, label: t('Theme of the system') },
};

/** Three radio buttons drawn as icons: light, dark, as the system. */
export function ThemeChoice() {
  const chosen = useTheme();
  const name = useId();
  return (
    <fieldset className="flex h-8 items-center rounded-md border border-line p-0.5">
      <legend className="sr-only">{t('Theme')}</legend>
      {themes.map((theme) => {
        const { icon: Icon, label } = faces[theme];
        return (
          <label
            key={theme}
            title={label}
            className="relative grid h-6.5 w-7 place-items-center rounded-sm text-quiet hover:text-ink has-checked:bg-hover has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={theme}
              checked={chosen === theme}
              onChange={() => chooseTheme(theme)}
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
