import type { FilePosition } from '../../../../../mysql/position.ts';
import { compareFilePositions } from '../../../../../mysql/position.ts';
import type { DataMigrations, KeptCommand, KeptTask } from '../state.ts';
import type { DatabaseProgress, SyncOutput } from './output.ts';

/** Completes databases by `Migrate.Sync.Complete.Database`: each once everything that the source had then is applied. */
export class Cutover {
  readonly #kept: DataMigrations;
  readonly #task: KeptTask;
  readonly #output: SyncOutput;
  readonly #sourceEnd: () => Promise<FilePosition>;
  readonly #running = new Map<KeptCommand, FilePosition>();

  constructor(
    kept: DataMigrations,
    task: KeptTask,
    output: SyncOutput,
    sourceEnd: () => Promise<FilePosition>,
  ) {
    this.#kept = kept;
    this.#task = task;
    this.#output = output;
    this.#sourceEnd = sourceEnd;
  }

  /** Its later changes are nobody's any more. */
  isComplete(schema: string): boolean {
    return this.#database(schema)?.state === 'COMPLETE';
  }

  /** Everything up to `at` is applied. True when all databases are complete. */
  async advance(at: FilePosition): Promise<boolean> {
    let changed = false;
    for (const [command, until] of this.#running) {
      if (compareFilePositions(at, until) < 0) continue;
      this.#running.delete(command);
      this.#complete(command);
      changed = true;
    }
    for (const command of this.#task.commands) {
      if (command.state !== 'Accepted') continue;
      changed = true;
      await this.#begin(command);
    }
    if (changed) await this.#kept.save();
    return this.#output.databases.every(({ state }) => state === 'COMPLETE');
  }

  async #begin(command: KeptCommand): Promise<void> {
    const database = this.#database(command.input.databaseName);
    if (command.errors.length > 0 || database === undefined) {
      command.state = 'Failed';
      return;
    }
    command.state = 'Running';
    if (database.state !== 'COMPLETE') database.state = 'COMPLETING';
    this.#running.set(command, await this.#sourceEnd());
  }

  #complete(command: KeptCommand): void {
    command.state = 'Succeeded';
    const database = this.#database(command.input.databaseName);
    if (database === undefined || database.state === 'COMPLETE') return;
    database.state = 'COMPLETE';
    database.endedOn = new Date().toISOString();
  }

  #database(schema: string): DatabaseProgress | undefined {
    return this.#output.databases.find(({ name }) => name === schema);
  }
}
