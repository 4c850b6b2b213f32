import { type Endpoints, Reply } from '../../../contract/endpoint.ts';
import { type Described, openApi } from './document.ts';

/** Answers with the OpenAPI document, which is made when it is first asked for. */
export function openApiOf(endpoints: Endpoints, described: Described): () => Reply<string> {
  let text: string | undefined;
  return () => {
    text ??= JSON.stringify(openApi(endpoints, described));
    return new Reply(text, { 'cache-control': 'max-age=300' });
  };
}
