import './style/main.css';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError, isSignedOut, meQuery } from './api.ts';
import { makeRouter } from './routes.ts';
import { applyTheme } from './shell/theme.ts';
import { language } from './words/words.ts';

applyTheme();
document.documentElement.lang = language;

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // Without an answer so far nobody was signed in on this page: its route asks to sign in, and nothing has ended.
      const neverSignedIn = query.queryKey[0] === 'me' && query.state.data === undefined;
      if (isSignedOut(error) && !neverSignedIn) endSession();
    },
  }),
  mutationCache: new MutationCache({ onError: onChangeRefused }),
  defaultOptions: {
    // The gateway may be on this machine: what the browser thinks of the network says nothing about it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      // A refusal stays one however often it is asked; what may pass is asked again once.
      retry: (count, error) => count < 1 && !(error instanceof ApiError && error.status < 500),
      retryDelay: 500,
    },
  },
});

const router = makeRouter(queries);

function onChangeRefused(error: unknown): void {
  if (isSignedOut(error)) endSession();
  // Another tab has signed in anew: fetch the token of that session.
  else if (error instanceof ApiError && error.problem.code === 'csrf_failed')
    void queries.invalidateQueries({ queryKey: meQuery.queryKey });
}

function endSession(): void {
  const { pathname, href } = router.state.location;
  if (pathname === '/login' || pathname === '/signed-out') return;
  queries.clear();
  void router.navigate({ to: '/login', search: { error: 'session_expired', next: href } });
}

const root = document.getElementById('app');
if (!root) throw new Error('index.html has no element #app');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
