import type { Diagnosis } from '../contract/diagnosis/doctor.ts';
import type { EntraComparison, EntraRecord } from '../contract/diagnosis/entra-record.ts';
import type { SetupOptions, SetupProvider, SetupResult, SetupTalk } from '../contract/diagnosis/setup.ts';

/** Where text is written: standard output or standard error. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Time, as commands that wait see it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after that many milliseconds, or at once when the signal is or gets aborted; it never rejects. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Everything that a command knows of the process that runs it; `main.ts` makes it, tests make their own. */
export interface Terminal {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: AsyncIterable<string | Uint8Array> & {
    readonly isTTY?: boolean;
    /** Of a terminal: whether keys come one by one and are not shown. */
    setRawMode?(isRaw: boolean): unknown;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--yes` was given: whatever is asked is answered with yes. */
  readonly assumesYes?: boolean;
  /** The folder that relative file names are relative to. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Opens an address in the browser of whoever sits there, or does nothing. */
  openUrl(url: string): void;
  /** Does work that goes on until the process is asked to end; the signal is aborted then, and the work ends itself. */
  untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** What `mcp-gateway start` asks of the server; everything left out comes from the server's own settings. */
export interface StartOptions {
  evaluation?: boolean;
  port?: number;
  host?: string;
  dataDir?: string;
}

/** What `mcp-gateway entra-emulator` asks of the emulator; without `seed`, an absolute path, it has its own tenant. */
export interface EmulatorOptions {
  seed?: string;
  port: number;
  https: boolean;
  /** Undecided behaviours are the ones that are worst for a client. */
  strict?: boolean;
  dataDir?: string;
}

/** What `mcp-gateway rotate-secrets` came to. */
export interface Rotation {
  readonly rotated: number;
  readonly current: number;
  readonly unreadable: readonly string[];
  /** What became of the keys that seal; a data key is wrapped by the KMS. */
  readonly dataKeys?: {
    readonly kms: string;
    readonly rewrapped: number;
    readonly made: boolean;
    readonly retired: number;
  };
}

/** Where a backup is, by absolute paths. */
export interface BackupOptions {
  file: string;
  passphraseFile?: string;
  dataDir?: string;
}

/** The server's programs that the command line starts; passed in, because the CLI imports only the contract. */
export interface World {
  /** Resolves when the server has stopped; a number is the exit code. An error with `faults` means faulty settings. */
  startServer(options: StartOptions): Promise<unknown>;
  /** Encrypts stored credentials anew. An error with `faults` means faulty settings. */
  rotateSecrets(options: { dataDir?: string; newDataKey?: boolean }): Promise<Rotation>;
  /** Brings the database to the newest version; returns the steps taken. An error with `faults` means faulty settings. */
  migrateDatabase(): Promise<readonly string[]>;
  /** Carries an embedded database into PostgreSQL; returns the rows of each table. */
  moveDatabase(options: {
    from: string;
    to: string;
  }): Promise<{ readonly rows: Readonly<Record<string, number>> }>;
  /** Writes the database of the settings to a file; returns the rows of each table. */
  backupDatabase(options: BackupOptions): Promise<{ readonly rows: Readonly<Record<string, number>> }>;
  /** Puts a backup into the empty database of the settings. */
  restoreDatabase(options: BackupOptions & { isDryRun: boolean }): Promise<{
    readonly rows: Readonly<Record<string, number>>;
    readonly version: string;
    readonly createdAt: string;
  }>;
  runEmulator(options: EmulatorOptions): Promise<number>;
  /** Examines a provider that the settings name. An error with `faults` means faulty settings, or another provider. */
  runDoctor(provider: string): Promise<Diagnosis>;
  /** The shapes of what the Entra tenant of the settings answers. */
  recordEntra(): Promise<EntraRecord>;
  /** Where the emulator answers otherwise than a recorded tenant; throws for what is no record. */
  compareEmulator(record: unknown): Promise<readonly EntraComparison[]>;
  /** Sets an identity provider up, or takes that back. */
  runSetup(provider: SetupProvider, options: SetupOptions, talk: SetupTalk): Promise<SetupResult>;
}
