import type { Chunk } from './chunks.ts';
import type { TableCopy } from './progress.ts';

export interface Task {
  readonly copy: TableCopy;
  readonly chunk: Chunk;
}

interface Lane {
  readonly copy: TableCopy;
  readonly waiting: Chunk[];
  running: number;
  /** No chunk will be added any more. */
  closed: boolean;
}

/**
 * Hands out chunks: to a table that nobody works on before one that somebody does (neighbouring chunks
 * loaded one after the other fill the pages of the target's tree best), and the biggest rest first.
 */
export class ChunkQueue {
  readonly #lanes: Lane[];
  #wake: (() => void)[] = [];

  constructor(copies: readonly TableCopy[]) {
    this.#lanes = copies.map((copy) => ({ copy, waiting: [], running: 0, closed: false }));
  }

  add(copy: TableCopy, chunks: readonly Chunk[]): void {
    this.#lane(copy).waiting.push(...chunks);
    this.#notify();
  }

  close(copy: TableCopy): void {
    this.#lane(copy).closed = true;
    this.#notify();
  }

  /** null: everything is handed out. */
  async take(signal: AbortSignal): Promise<Task | null> {
    for (;;) {
      signal.throwIfAborted();
      const lane = this.#best();
      const chunk = lane?.waiting.shift();
      if (lane !== undefined && chunk !== undefined) {
        lane.running++;
        return { copy: lane.copy, chunk };
      }
      if (this.#lanes.every((l) => l.closed)) return null;
      await this.#change(signal);
    }
  }

  finished(task: Task): void {
    this.#lane(task.copy).running--;
  }

  #best(): Lane | undefined {
    let best: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      if (best === undefined || lane.running < best.running) best = lane;
      else if (lane.running === best.running && rest(lane) > rest(best)) best = lane;
    }
    return best;
  }

  #lane(copy: TableCopy): Lane {
    return this.#lanes.find((lane) => lane.copy === copy)!;
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      this.#wake.push(wake);
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

function rest({ copy }: Lane): number {
  const { estimatedBytes } = copy.table;
  return copy.chunksTotal === 0
    ? estimatedBytes
    : estimatedBytes * (1 - copy.chunksDone / copy.chunksTotal);
}
