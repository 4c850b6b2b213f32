import { existsSync, readFileSync } from 'node:fs';
import packageJson from '../../../package.json' with { type: 'json' };
import { ConfigFault, readConfig, readEnvironment } from '../config/config.ts';
import { type Counts, readBackup, withEmbedded, withPostgres, writeBackup } from '../db/backup.ts';
import { readBackupFile, writeBackupFile } from '../db/backup-file.ts';
import { openDatabase } from '../db/open.ts';
import { openPostgres, withPostgresAsIs } from '../db/postgres/open.ts';
import { fileIn } from '../db/sqlite/file.ts';

/** Where a backup is, and what of. */
export interface BackupOptions {
  readonly file: string;
  /** A file whose text encrypts the backup. */
  readonly passphraseFile?: string | undefined;
  readonly dataDir?: string | undefined;
}

/** Writes everything in the database of the settings to a file, while a gateway may run; returns the rows of each table. */
export async function backupDatabase(options: BackupOptions): Promise<{ rows: Counts }> {
  const { dataDir, database } = configOf(options);
  const passphrase = passphraseOf(options);
  const head = { version: packageJson.version, createdAt: new Date().toISOString() };
  if (!database && !existsSync(fileIn(dataDir)))
    throw new ConfigFault([
      `DATA_DIR: there is no database in ${dataDir}; name its data directory (--data-dir)`,
    ]);
  const write = async (): Promise<Counts> => {
    if (!database)
      return writeBackupFile(options.file, passphrase, (to) =>
        withEmbedded(dataDir, (from) => writeBackup(from, head, to)),
      );
    return withPostgresAsIs(database, (db) =>
      writeBackupFile(options.file, passphrase, (to) =>
        withPostgres(db, (from) => writeBackup(from, head, to)),
      ),
    );
  };
  return { rows: await write() };
}

/** Puts a backup into the empty database of the settings, with no gateway running on it; `isDryRun` only looks. */
export async function restoreDatabase(
  options: BackupOptions & { readonly isDryRun: boolean },
): Promise<{ rows: Counts; version: string; createdAt: string }> {
  const { dataDir, database } = configOf(options);
  const passphrase = passphraseOf(options);
  const { db, close } = await (database ? openPostgres(database) : openDatabase(dataDir));
  try {
    // The rows are committed only after the file has proved to be whole: its end is read before the transaction ends.
    const { head, rows } = await readBackupFile(options.file, passphrase, (from) =>
      readBackup(from, db, options),
    );
    return { rows, version: head.version, createdAt: head.createdAt };
  } finally {
    await close();
  }
}

function configOf({ dataDir }: BackupOptions) {
  const directory = process.cwd();
  const environment = {
    ...readEnvironment(directory),
    ...(dataDir === undefined ? {} : { DATA_DIR: dataDir }),
  };
  return readConfig(environment, directory);
}

function passphraseOf({ passphraseFile }: BackupOptions): string | undefined {
  if (passphraseFile === undefined) return undefined;
  const text = readFileSync(passphraseFile, 'utf8').trim();
  if (text.length < 12)
    throw new ConfigFault([
      '--passphrase-file: needs 12 characters or more; make one with: openssl rand -base64 24',
    ]);
  return text;
}
