import { SkyferryFailure } from '../../../failures.ts';
import { displayName } from '../../../mysql/identifier.ts';
import { readKeys } from '../../../verify/read-keys.ts';
import type { Pair } from '../../../verify/session.ts';
import type { Mark } from './marks.ts';
import type { TargetState } from './read-states.ts';
import { NOWHERE, readStates } from './read-states.ts';
import type { ChangeCounter, TableHistory, Witness } from './table-history.ts';

interface LookOptions {
  readonly counter: ChangeCounter;
  /** Whoever applies says that nothing is on its way. */
  readonly settled: () => boolean;
  /** So long a row may differ after that. */
  readonly patienceMs: number;
}

/**
 * `seen`: the target has the row's last change before the mark. `like`: it looks so, but the row looked so
 * earlier as well. `moving`: both sides change too fast to be compared. `behind`: not applied yet.
 */
type Verdict = 'seen' | 'like' | 'moving' | 'behind';

/** What was seen of one row in the looks so far. */
interface Seen {
  source: string | null;
  target: TargetState;
  /** States of the source's row: none is older than the mark. */
  readonly sources: Set<string | null>;
  sourceMoved: boolean;
  targetMoved: boolean;
  /** Looks in a row in which the source's row was another one than before. */
  moves: number;
  /** Since when both stand still and differ although everything is said to be applied. */
  standsSince: number | null;
}

const MOVING_LOOKS = 3;
const UNTOLD_LOOKS = 5;
const MOST_SOURCES = 1000;

/** Looks at the rows of one mark until the target has them. */
export class MarkLook {
  readonly mark: Mark;
  readonly #options: LookOptions;
  readonly #open: Map<TableHistory, readonly Witness[]>;
  readonly #seen = new Map<Witness, Seen>();
  /** By table how many looks in a row told nothing. */
  readonly #untold = new Map<TableHistory, number>();

  constructor(mark: Mark, options: LookOptions) {
    this.mark = mark;
    this.#options = options;
    // A table of which a later change was seen for a former mark has these too.
    const isOpen = ({ seenUpTo }: TableHistory, witnesses: readonly Witness[]) =>
      witnesses.some(({ change }) => change > seenUpTo);
    this.#open = new Map([...mark.tables].filter((entry) => isOpen(...entry)));
  }

  /** Whether the target has everything up to the mark. ROWS_DIFFER: it never will. */
  async look(pairs: readonly Pair[]): Promise<boolean> {
    const tables = [...this.#open];
    await Promise.all(
      pairs.map(async (pair) => {
        for (let next = tables.pop(); next !== undefined; next = tables.pop()) {
          await this.#lookAt(next[0], next[1], pair);
        }
      }),
    );
    return this.#open.size === 0;
  }

  async #lookAt(table: TableHistory, witnesses: readonly Witness[], pair: Pair): Promise<void> {
    const keys = witnesses.map(({ row }) => row.key);
    // The order matters: the target may have what the source showed, or come to it.
    const sources = await readKeys(pair.source, 'source', table.form, keys);
    const targets = await readStates(pair.target, table, keys);
    const behind: Witness[] = [];
    let isLike = false;
    for (const [i, witness] of witnesses.entries()) {
      const seen = this.#note(witness, sources[i] ?? null, targets[i] ?? NOWHERE);
      const verdict = judge(witness, seen, this.#options.counter.confirmed);
      if (verdict === 'behind') {
        this.#refuseStanding(table, seen);
        behind.push(witness);
      }
      if (verdict === 'seen') table.seenUpTo = Math.max(table.seenUpTo, witness.change);
      if (verdict === 'like') isLike = true;
    }
    // A later change of the table was seen: this one is only not to be met between others.
    const isPassed = (witness: Witness) =>
      witness.change <= table.seenUpTo && this.#seen.get(witness)?.sourceMoved === true;
    const left = behind.filter((witness) => !isPassed(witness));
    const tells = witnesses.some(({ change }) => change <= table.seenUpTo);
    const next = left.length === 0 && isLike && !tells ? this.#later(table) : left;
    if (left.length > 0) this.#untold.delete(table);
    if (next.length > 0) this.#open.set(table, next);
    else this.#open.delete(table);
  }

  /** Rows that changed after the mark and tell more; none: nothing will. */
  #later(table: TableHistory): readonly Witness[] {
    const looks = (this.#untold.get(table) ?? 0) + 1;
    this.#untold.set(table, looks);
    return looks < UNTOLD_LOOKS ? table.telling(this.mark.change) : [];
  }

  #note(witness: Witness, source: string | null, target: TargetState): Seen {
    const before = this.#seen.get(witness);
    const moved = before !== undefined && before.source !== source;
    const targetMoved = before !== undefined && before.target.digest !== target.digest;
    const stands = source !== target.digest && !moved && !targetMoved && this.#options.settled();
    const sources = before?.sources ?? new Set();
    if (sources.size < MOST_SOURCES) sources.add(source);
    const seen: Seen = {
      source,
      target,
      sources,
      sourceMoved: moved || before?.sourceMoved === true,
      targetMoved: targetMoved || before?.targetMoved === true,
      moves: moved ? (before?.moves ?? 0) + 1 : 0,
      standsSince: stands ? (before?.standsSince ?? Date.now()) : null,
    };
    this.#seen.set(witness, seen);
    return seen;
  }

  #refuseStanding({ form }: TableHistory, { standsSince }: Seen): void {
    const { patienceMs } = this.#options;
    if (standsSince === null || Date.now() - standsSince < patienceMs) return;
    throw new SkyferryFailure(
      'ROWS_DIFFER',
      `everything is said to be applied, but a row of ${displayName(form.table.name)} that the source changed is another one on the target`,
      {
        safe: 'the source is as before; the checkpoint lies before that change',
        next: 'find out who writes to the target; switch-engine loads it anew, or abort and begin again',
      },
    );
  }
}

function judge({ row, change }: Witness, seen: Seen, confirmed: number): Verdict {
  const at = row.place(seen.target.fingerprint, change, confirmed);
  // With a state that it had before the mark, too, the target may be there, and the source at a later one.
  if (seen.sources.has(seen.target.digest)) return at.before ? 'like' : 'seen';
  // Older than the source's row now, but not older than the mark.
  if (at.since && !at.before && !at.newest) return 'seen';
  return seen.moves >= MOVING_LOOKS && seen.targetMoved ? 'moving' : 'behind';
}
