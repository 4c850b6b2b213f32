import { Link } from '@tanstack/react-router';
import { buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { Outside } from './outside.tsx';

/** The page for a URL that no page has. */
export function NotFound() {
  return (
    <Outside>
      <Page title="There is no such page">
        <p className="mb-5 text-quiet">
          The address may be mistyped, or the page may have moved. Clients of MCP connect to the endpoint URL
          shown with each server.
        </p>
        <Link to="/" className={buttonClass('primary', 'h-10 w-full')}>
          Go to the servers
        </Link>
      </Page>
    </Outside>
  );
}
