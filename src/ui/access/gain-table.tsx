import type { ScopeEffect } from '../../contract/access.ts';
import { t } from '../words/words.ts';
import { permissionWords } from './permission-words.ts';

type Gain = NonNullable<ScopeEffect['gains']>;

const heads = [t('Methods'), t('Tools'), t('Prompts'), t('Resources')] as const;

/** What somebody may do, gains or loses: calls by server, and permissions in the registry. */
export function GainTable({ gain, caption }: { gain: Gain; caption: string }) {
  const { servers, permissions } = gain;
  if (servers.length + permissions.length === 0) return <p className="text-quiet">{t('Nothing.')}</p>;
  return (
    <div className="grid gap-3">
      {servers.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        <section tabIndex={0} aria-label={caption} className="overflow-x-auto">
          <table className="w-full border-collapse text-left">
            <caption className="sr-only">{caption}</caption>
            <thead className="text-meta text-quiet">
              <tr className="border-b border-line">
                {[t('Server'), ...heads].map((head) => (
                  <th key={head} scope="col" className="py-1 pr-4 font-medium">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {servers.map((one) => (
                <tr key={one.server} className="border-b border-line align-top last:border-0">
                  <th scope="row" className="py-1 pr-4 font-semibold break-all">
                    {wordsFor(one.server, t('Every other server'))}
                  </th>
                  {[one.methods, one.tools, one.prompts, one.resources].map((names, at) => (
                    <td key={heads[at]} className="min-w-24 py-1 pr-4 break-all">
                      {names.map((name) => wordsFor(name, t('every other'))).join(', ') || (
                        <span className="text-quiet">{t('none')}</span>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {permissions.length > 0 && (
        <dl
          aria-label={t('In the registry')}
          className="grid gap-x-3 gap-y-1 sm:grid-cols-[12rem_minmax(0,1fr)]"
        >
          {permissions.map(({ permission, names }) => (
            <div key={permission} className="contents">
              <dt title={permission}>{permissionWords(permission)}</dt>
              <dd className="break-all">{names.join(', ')}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function wordsFor(name: string, every: string): string {
  return name === '*' ? every : name;
}
