/** How the servers can be shown, the usual way first. */
export const serverViews = ['table', 'cards'] as const;

/** One of the ways in which the servers can be shown. */
export type ServerView = (typeof serverViews)[number];

const key = 'servers-view';

/** The way that the URL asks for, or else the one last chosen on this device. */
export function serverViewOf(asked: string | undefined): ServerView {
  return known(asked) ?? known(stored()) ?? 'table';
}

/** Keeps a choice on this device. */
export function keepServerView(view: ServerView): void {
  try {
    localStorage.setItem(key, view);
  } catch {
    // Storage is switched off: the URL has the choice as long as the page is open.
  }
}

function known(view: string | null | undefined): ServerView | undefined {
  return serverViews.find((one) => one === view);
}

function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
