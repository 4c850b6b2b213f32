import { type api, mintForPage, revokeOnLeave } from '../api.ts';

type Minted = Awaited<ReturnType<typeof api<'tokens.generate'>>>;

let current: Promise<Minted> | undefined;

/**
 * A token by which this page calls servers through the gateway, whose endpoints take tokens and no cookies. It acts for
 * who is signed in, lives in memory for an hour at most, and is revoked when the page is left.
 */
export async function pageToken(): Promise<string> {
  current ??= mintForPage();
  try {
    const minted = await current;
    if (Date.parse(minted.expires_at) - Date.now() > 60_000) return minted.tokens.access_token;
  } catch (error) {
    current = undefined;
    throw error;
  }
  current = undefined;
  return pageToken();
}

/** Ends the token of this page, if there is one; waits for no answer. */
function endPageToken(): void {
  const ending = current;
  current = undefined;
  void ending?.then(({ token_id }) => revokeOnLeave(token_id)).catch(() => {});
}

addEventListener('pagehide', endPageToken);
