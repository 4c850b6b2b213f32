import { useSyncExternalStore } from 'react';

/** The choices of a theme; `system` follows the operating system. */
export const themes = ['light', 'dark', 'system'] as const;

/** One of the choices of a theme. */
export type Theme = (typeof themes)[number];

const key = 'theme';
const listeners = new Set<() => void>();
let theme: Theme = stored();

/** Puts the chosen theme on the page; call it before anything is painted. */
export function applyTheme(): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Chooses a theme on this device. */
export function chooseTheme(choice: Theme): void {
  theme = choice;
  try {
    localStorage.setItem(key, choice);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
  applyTheme();
  for (const listener of listeners) listener();
}

/** The chosen theme, kept up to date. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => theme);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return themes.find((choice) => choice === value) ?? 'system';
  } catch {
    return 'system';
  }
}
