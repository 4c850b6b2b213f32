import { resolve } from 'node:path';
import { plainText } from '../../contract/values/plain-text.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import { readJsonFile } from '../input/json-file.ts';
import type { BackupOptions, StartOptions } from '../terminal.ts';

interface EmulatorFlags {
  seed?: string;
  port: number;
  https?: boolean;
  strict?: boolean;
  compare?: string;
  dataDir?: string;
}

interface BackupFlags {
  passphraseFile?: string;
  dataDir?: string;
  dryRun?: boolean;
}

/** `start`, `backup`, `restore`, `rotate-secrets` and `entra-emulator`: the programs that work without a registry to talk to. */
export const addProcessCommands: AddCommands = (program, on) => {
  addCommand(program, 'start', {
    summary: 'Start the gateway and registry, with settings from the environment and .env',
    examples: [
      'mcp-gateway start --evaluation',
      'mcp-gateway start --port 9000 --data-dir /var/lib/mcp-gateway',
    ],
  })
    .option('--evaluation', 'evaluation mode: demo accounts, an emulated Entra ID and sample servers')
    .option('--port <number>', 'port to listen on (setting PORT)', wholeNumber(0, 65_535))
    .option('--host <address>', 'address to listen on (setting HOST)')
    .option('--data-dir <folder>', 'folder for the data (setting DATA_DIR)')
    .action(on(start));

  addCommand(program, 'rotate-secrets', {
    summary: 'Re-encrypt data keys and secrets after a change of SECRET_KEY or VAULT_KMS',
    examples: [
      'SECRET_KEY_PREVIOUS=<the old one> SECRET_KEY=<the new one> mcp-gateway rotate-secrets',
      'mcp-gateway rotate-secrets --new-data-key',
    ],
  })
    .option('--new-data-key', 'create a new data key and re-encrypt everything with it')
    .option('--data-dir <folder>', 'folder for the data (setting DATA_DIR)')
    .action(on(rotate));

  addCommand(program, 'migrate', {
    summary: 'Migrate the database to the version of this program, as starting the gateway also does',
    examples: ['DATABASE_URL=postgres://... mcp-gateway migrate'],
  }).action(on(migrate));

  addCommand(program, 'move', {
    summary: 'Move the embedded database to an empty PostgreSQL database; stop the gateway first',
    examples: ['mcp-gateway move --from ./data --to postgres://gateway@db.example.com/gateway'],
  })
    .requiredOption('--from <folder>', 'folder of the embedded database (setting DATA_DIR)')
    .requiredOption('--to <url>', 'the new database (setting DATABASE_URL)')
    .action(on(move));

  addCommand(program, 'backup', {
    summary: 'Back up the database to one file while the gateway runs; SECRET_KEY is not in it',
    examples: [
      'mcp-gateway backup gateway.backup',
      'mcp-gateway backup gateway.backup --passphrase-file ./passphrase',
    ],
  })
    .argument('<file>', 'the file to write; it must not be there yet')
    .option('--passphrase-file <file>', 'encrypt the backup with the passphrase in this file')
    .option('--data-dir <folder>', 'folder for the data (setting DATA_DIR)')
    .action((file: string, ...rest: unknown[]) =>
      on<BackupFlags>((run, flags) => backup(run, file, flags))(file, ...rest),
    );

  addCommand(program, 'restore', {
    summary: 'Restore a backup into an empty database, embedded or PostgreSQL; stop the gateway first',
    examples: [
      'mcp-gateway restore gateway.backup --dry-run',
      'mcp-gateway restore gateway.backup --passphrase-file ./passphrase --data-dir ./new-data',
    ],
  })
    .argument('<file>', 'the backup')
    .option('--passphrase-file <file>', 'file with the passphrase of the backup')
    .option('--data-dir <folder>', 'folder for the data (setting DATA_DIR)')
    .option('--dry-run', 'read and check the whole backup, and change nothing')
    .action((file: string, ...rest: unknown[]) =>
      on<BackupFlags>((run, flags) => restore(run, file, flags))(file, ...rest),
    );

  addCommand(program, 'entra-emulator', {
    summary: 'Run an emulated Entra ID for tests and evaluation; it is not Microsoft Entra ID',
    examples: [
      'mcp-gateway entra-emulator',
      'mcp-gateway entra-emulator --seed tenants.yml --port 9443 --https --data-dir ./emulator',
    ],
  })
    .option('--seed <file>', 'YAML or JSON file that describes the tenants (default: the demo tenant)')
    .option('--port <number>', 'port to listen on', wholeNumber(0, 65_535), 8443)
    .option('--https', 'serve https with a certificate created for this data folder')
    .option('--data-dir <folder>', 'folder for keys and changes')
    .option(
      '--compare <file>',
      'do not run; list differences from a tenant recorded with doctor entra --record',
    )
    .option('--strict', 'if the behaviour of Entra ID is unknown, use the strictest for clients')
    .action(on(runEmulator));
};

function pathsOf(
  { terminal: { cwd } }: Run,
  file: string,
  { passphraseFile, dataDir }: BackupFlags,
): BackupOptions {
  return {
    file: resolve(cwd, file),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(cwd, passphraseFile) }),
    ...(dataDir === undefined ? {} : { dataDir: resolve(cwd, dataDir) }),
  };
}

async function backup(run: Run, file: string, flags: BackupFlags): Promise<number> {
  const { rows } = await run.world.backupDatabase(pathsOf(run, file, flags));
  run.output.result({ file, rows }, () => `${total(rows)} rows written to ${file}.`);
  run.output.note(
    'SECRET_KEY is not in the backup: keep it separately. Without it stored credentials cannot be read.',
  );
  return 0;
}

async function restore(run: Run, file: string, flags: BackupFlags): Promise<number> {
  const isDryRun = flags.dryRun ?? false;
  const done = await run.world.restoreDatabase({ ...pathsOf(run, file, flags), isDryRun });
  const of = `of ${done.createdAt}, version ${done.version}`;
  run.output.result({ file, ...done, dry_run: isDryRun }, () =>
    isDryRun
      ? `The backup ${of} is whole and fits: ${total(done.rows)} rows. Nothing was changed.`
      : `${total(done.rows)} rows restored from the backup ${of}. Start the gateway with the SECRET_KEY that it had.`,
  );
  return 0;
}

function total(rows: Readonly<Record<string, number>>): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}

async function start({ world, terminal }: Run, options: StartOptions): Promise<number> {
  const { evaluation, port, host, dataDir } = options;
  const exitCode = await world.startServer({
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(dataDir === undefined ? {} : { dataDir: resolve(terminal.cwd, dataDir) }),
  });
  return typeof exitCode === 'number' ? exitCode : 0;
}

async function rotate(
  { world, terminal, output }: Run,
  { dataDir, newDataKey }: { dataDir?: string; newDataKey?: boolean },
): Promise<number> {
  const { rotated, current, unreadable, dataKeys } = await world.rotateSecrets({
    ...(dataDir === undefined ? {} : { dataDir: resolve(terminal.cwd, dataDir) }),
    ...(newDataKey ? { newDataKey } : {}),
  });
  const keys =
    dataKeys &&
    ` Data keys (${dataKeys.kms}): ${dataKeys.rewrapped} rewrapped, ${dataKeys.made ? 'one made' : 'none made'}, ${dataKeys.retired} retired.`;
  output.result(
    { rotated, current, unreadable, ...(dataKeys ? { dataKeys } : {}) },
    () => `${rotated} re-encrypted, ${current} already used the current key.${keys ?? ''}`,
  );
  for (const path of unreadable)
    output.warn(`the credential of ${path} cannot be read with either key; set it again`);
  return unreadable.length === 0 ? 0 : 1;
}

async function migrate({ world, output }: Run): Promise<number> {
  const migrated = await world.migrateDatabase();
  output.result({ migrated }, () =>
    migrated.length === 0 ? 'The database is up to date.' : `Migrated: ${migrated.join(', ')}.`,
  );
  return 0;
}

async function move(
  { world, terminal, output }: Run,
  { from, to }: { from: string; to: string },
): Promise<number> {
  const { rows } = await world.moveDatabase({ from: resolve(terminal.cwd, from), to });
  output.result(
    { rows },
    () => `${total(rows)} rows moved. Set DATABASE_URL and start the gateway; SECRET_KEY stays the same.`,
  );
  return 0;
}

/** Exit code 1 where the emulator differs in what is decided. */
async function compare({ world, terminal, output }: Run, file: string): Promise<number> {
  const { value } = await readJsonFile(file, terminal);
  const all = await world.compareEmulator(value);
  const words = {
    same: 'the same',
    strict: 'as with --strict',
    different: 'different',
    missing: 'not compared',
  };
  output.result(all, (paint) => {
    const lines = all
      .filter(({ verdict }) => verdict !== 'same')
      .flatMap(({ id, asked, verdict, differences }) => [
        `${paint('bold', plainText(id))} (${plainText(asked)}): ${words[verdict]}`,
        ...differences.map((line) => `  ${plainText(line)}`),
      ]);
    const same = all.filter(({ verdict }) => verdict === 'same').length;
    return [...lines, `${same} of ${all.length} answers are the same.`].join('\n');
  });
  return all.some(({ verdict }) => verdict === 'different') ? 1 : 0;
}

async function runEmulator(run: Run, options: EmulatorFlags): Promise<number> {
  const { world, terminal } = run;
  if (options.compare !== undefined) return compare(run, options.compare);
  const { seed, port, https = false, strict = false, dataDir } = options;
  return world.runEmulator({
    port,
    https,
    ...(strict ? { strict } : {}),
    ...(seed === undefined ? {} : { seed: resolve(terminal.cwd, seed) }),
    ...(dataDir === undefined ? {} : { dataDir: resolve(terminal.cwd, dataDir) }),
  });
}
