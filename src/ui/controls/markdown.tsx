import { lexer, type Token, type Tokens } from 'marked';
import { createElement, Fragment, type ReactNode } from 'react';

/** Where a link may lead: pages and mail, never scripts or data. */
const safeLink = /^(https?:\/\/|mailto:)/i;

/** Characters of a description that are formatted; what is longer is shown as it is. */
const longest = 20_000;

/**
 * Text in Markdown (CommonMark with tables), drawn as elements of the page: nothing in it is ever read as HTML, links lead
 * to pages only, and pictures are links, so that reading a description asks nobody else for anything.
 */
export function Markdown({ text }: { text: string }): ReactNode {
  if (text.length > longest) return <p className="whitespace-pre-line">{text}</p>;
  return <div className="grid gap-2.5 [overflow-wrap:anywhere]">{blocks(lexer(text, { gfm: true }))}</div>;
}

function blocks(tokens: readonly Token[]): ReactNode[] {
  return tokens.map((token, at) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
    return <Fragment key={at}>{block(token as Tokens.Generic)}</Fragment>;
  });
}

function block(token: Tokens.Generic): ReactNode {
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      // A description stands below the headings of its page, whatever it calls its own.
      return <p className="mt-1 font-semibold">{inlines(token.tokens)}</p>;
    case 'paragraph':
      return <p>{inlines(token.tokens)}</p>;
    case 'blockquote':
      return (
        <blockquote className="grid gap-2 border-l-2 border-edge pl-3 text-quiet">
          {blocks(token.tokens ?? [])}
        </blockquote>
      );
    case 'code':
      return (
        <pre className="rounded-md border border-line bg-sunken p-3 font-mono text-code whitespace-pre-wrap">
          {token.text}
        </pre>
      );
    case 'hr':
      return <hr className="border-line" />;
    case 'list':
      return createElement(
        token.ordered ? 'ol' : 'ul',
        { className: `grid gap-1 pl-5 ${token.ordered ? 'list-decimal' : 'list-disc'}` },
        ...(token.items as Tokens.ListItem[]).map((item, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
          <li key={at}>{blocks(item.tokens)}</li>
        )),
      );
    case 'table':
      return <Table table={token as Tokens.Table} />;
    case 'text':
      return <p>{token.tokens ? inlines(token.tokens) : token.text}</p>;
    default:
      return <p className="whitespace-pre-line">{token.raw}</p>;
  }
}

function Table({ table }: { table: Tokens.Table }) {
  return (
    <table className="w-full table-fixed text-left">
      <thead className="text-meta text-quiet">
        <tr className="border-b border-line">
          {table.header.map((cell, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
            <th key={at} scope="col" className="py-1 pr-3 font-medium">
              {inlines(cell.tokens)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
          <tr key={at} className="border-b border-line align-top last:border-0">
            {row.map((cell, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
              <td key={column} className="py-1 pr-3">
                {inlines(cell.tokens)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inlines(tokens: readonly Token[] = []): ReactNode[] {
  return tokens.map((token, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move
    <Fragment key={at}>{inline(token as Tokens.Generic)}</Fragment>
  ));
}

function inline(token: Tokens.Generic): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong className="font-semibold">{inlines(token.tokens)}</strong>;
    case 'em':
      return <em>{inlines(token.tokens)}</em>;
    case 'del':
      return <del>{inlines(token.tokens)}</del>;
    case 'codespan':
      return <code className="rounded-sm bg-sunken px-1 font-mono text-code">{token.text}</code>;
    case 'br':
      return <br />;
    case 'link':
    case 'image': {
      const words = token.type === 'link' && token.tokens ? inlines(token.tokens) : token.text || token.href;
      if (!safeLink.test(token.href)) return words;
      return (
        <a
          href={token.href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="rounded-sm underline underline-offset-4"
        >
          {words}
        </a>
      );
    }
    case 'text':
    case 'escape':
      return token.tokens ? inlines(token.tokens) : token.text;
    default:
      return token.raw;
  }
}
