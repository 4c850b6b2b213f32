import { useMutation, useQueryClient } from '@tanstack/react-query';
import { FileUp } from 'lucide-react';
import { useId, useState } from 'react';
import type { FileEntry } from '../../contract/files/entry.ts';
import { api, serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { count, t } from '../words/words.ts';
import { type Draft, draftOfEntry } from './server-draft.ts';

/** The longest file that is read here, in bytes. */
const longest = 4 * 1024 * 1024;

/** Fills in the form from a file, or registers everything that a file describes; read as `mcp-gateway import` reads it. */
export function ImportFile({ onDraft }: { onDraft: (draft: Draft) => void }) {
  const [text, setText] = useState('');
  const [said, setSaid] = useState<{ words: string; entries: readonly FileEntry[]; of: string }>();
  const read = async (given: string) => {
    // A large part that few visits need.
    const { FileFault, readRegistryFile } = await import('../../contract/files/read.ts');
    try {
      const entries = readRegistryFile(given);
      const [first] = entries;
      const isOne = entries.length === 1 && first?.kind === 'server';
      if (isOne) onDraft(draftOfEntry(first));
      setSaid({
        words: isOne
          ? t('The form below is filled in with {name}.', { name: first.name })
          : t('{n} found.', { n: entries.length }),
        entries,
        of: given,
      });
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      setSaid({ words: error.message, entries: [], of: given });
    }
  };
  const open = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > longest)
      return setSaid({ words: t('{name} is larger than 4 MB.', { name: file.name }), entries: [], of: '' });
    const given = await file.text();
    setText(given);
    await read(given);
  };
  return (
    <details
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void open(event.dataTransfer.files[0]);
      }}
    >
      <summary className="w-fit rounded-sm underline underline-offset-4">{t('Import a file')}</summary>
      <div className="mt-2 grid justify-items-start gap-2">
        <p className="text-quiet">
          {t(
            'A configuration of VS Code, Claude, Cursor, Codex and others, a server.json, an agent card, a group definition or an export. Drop it here, choose it, or paste its text.',
          )}
        </p>
        <Chooser onFile={(file) => void open(file)} />
        <div className="w-full">
          <TextField label={t('Text of the file')} rows={5} value={text} onChange={setText} isCode />
        </div>
        <Button onClick={() => void read(text)}>{t('Read the file')}</Button>
        <p role="status">{said?.words}</p>
        {said && <Entries key={said.of} entries={said.entries} onDraft={onDraft} />}
      </div>
    </details>
  );
}

function Chooser({ onFile }: { onFile: (file: File | undefined) => void }) {
  const id = useId();
  return (
    <div className="flex max-w-full flex-wrap items-center gap-2">
      <FileUp size={15} aria-hidden />
      <label htmlFor={id}>{t('Choose a file')}</label>
      <input
        id={id}
        type="file"
        className="max-w-full min-w-0"
        accept=".json,.jsonc,.toml,.txt"
        onChange={(event) => onFile(event.currentTarget.files?.[0])}
      />
    </div>
  );
}

/** What became of an entry: registered, or why not. */
type Outcome = { readonly done: true } | { readonly done: false; readonly why: string };

function Entries({ entries, onDraft }: { entries: readonly FileEntry[]; onDraft: (draft: Draft) => void }) {
  const queries = useQueryClient();
  const [outcomes, setOutcomes] = useState<ReadonlyMap<FileEntry, Outcome>>(new Map());
  const possible = entries.filter(({ kind }) => kind !== 'refused');
  const left = possible.filter((entry) => !outcomes.get(entry)?.done);
  const all = useMutation({
    async mutationFn() {
      for (const entry of left) {
        const outcome: Outcome = await registered(entry).then(
          () => ({ done: true }) as const,
          (error: unknown) => ({ done: false, why: error instanceof Error ? error.message : String(error) }),
        );
        setOutcomes((before) => new Map(before).set(entry, outcome));
      }
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: serversQuery.queryKey }),
  });
  const [only] = entries;
  if (entries.length === 0 || (entries.length === 1 && only?.kind === 'server'))
    return <Notes entry={only} />;
  return (
    <div className="grid w-full gap-2">
      <ul className="divide-y divide-line rounded-md border border-line">
        {entries.map((entry) => (
          <li key={entry.at} className="grid gap-1 p-2">
            <div className="flex flex-wrap items-center gap-2">
              <span className="font-medium break-all">{entry.name}</span>
              <span className="text-quiet">{kinds[entry.kind]}</span>
              <Result outcome={outcomes.get(entry)} />
              {entry.kind === 'server' && !outcomes.get(entry)?.done && (
                <Button onClick={() => onDraft(draftOfEntry(entry))}>
                  {t('Fill in the form with {name}', { name: entry.name })}
                </Button>
              )}
            </div>
            <Notes entry={entry} />
          </li>
        ))}
      </ul>
      {left.length > 0 && (
        <div>
          <Button look="primary" busy={all.isPending} onClick={() => !all.isPending && all.mutate()}>
            {all.isPending ? t('Registering …') : count(left.length, 'Register it', 'Register all {n}')}
          </Button>
        </div>
      )}
      <p role="status" className="sr-only">
        {all.isSuccess &&
          t('{n} of {total} registered.', { n: possible.length - left.length, total: possible.length })}
      </p>
    </div>
  );
}

const kinds: Readonly<Record<FileEntry['kind'], string>> = {
  server: t('Server'),
  agent: t('Agent'),
  scope: t('Scope'),
  virtual_server: t('Virtual server'),
  egress: t('Credentials of people'),
  refused: t('Not possible'),
};

function Result({ outcome }: { outcome: Outcome | undefined }) {
  if (!outcome) return null;
  return outcome.done ? (
    <span className="text-good">{t('Registered')}</span>
  ) : (
    <span className="text-bad">{outcome.why}</span>
  );
}

/** What is to be known of an entry: why it cannot be taken, or what is still to be done. */
function Notes({ entry }: { entry: FileEntry | undefined }) {
  if (!entry) return null;
  const notes = entry.kind === 'refused' ? [`${entry.reason} ${entry.remedy}`] : entry.notes;
  return notes.map((note) => (
    <p key={note} className="text-quiet break-words">
      {note}
    </p>
  ));
}

async function registered(entry: FileEntry): Promise<unknown> {
  if (entry.kind === 'server') {
    const body = { ...entry.body, ...(entry.credential ? { credential: entry.credential } : {}) };
    return api('servers.register', { body: body as never });
  }
  if (entry.kind === 'agent') return api('agents.register', { body: entry.body as never });
  if (entry.kind === 'scope') return api('scopes.import', { body: entry.body as never });
  if (entry.kind === 'virtual_server')
    return api('virtualServers.import', { body: { virtual_servers: [entry.body] } as never });
  if (entry.kind === 'egress')
    return api('servers.configureEgress', { params: { path: entry.path }, body: entry.body as never });
  throw new Error(entry.reason);
}
