import { SkyferryFailure } from '../../../failures.ts';
import { displayName } from '../../../mysql/identifier.ts';
import { readKeys } from '../../../verify/read-keys.ts';
import type { Pair } from '../../../verify/session.ts';
import type { Mark } from './marks.ts';
import type { TargetState } from './read-states.ts';
import { readStates } from './read-states.ts';
import type { ChangeCounter, TableHistory, Witness } from './table-history.ts';

export interface LookOptions {
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
  /** Looks in a row in which the source's row was another one than before. */
  moves: number;
  targetMoved: boolean;
  /** Looks in a row in which both sides were equal. */
  equal: number;
  /** Since when both stand still and differ although everything is said to be applied. */
  standsSince: number | null;
}

const EQUAL_LOOKS = 3;
const MOVING_LOOKS = 3;

/** Looks at the rows of one mark until the target has them. */
export class MarkLook {
  readonly mark: Mark;
  readonly #options: LookOptions;
  readonly #open: Map<TableHistory, Witness[]>;
  readonly #seen = new Map<Witness, Seen>();
  /** Tables of which a row was seen that tells. */
  readonly #told = new Set<TableHistory>();

  constructor(mark: Mark, options: LookOptions) {
    this.mark = mark;
    this.#options = options;
    this.#open = new Map([...mark.tables].map(([table, witnesses]) => [table, [...witnesses]]));
  }

  /** Whether the target has everything up to the mark. ROWS_DIFFER: it never will. */
  async look(pair: Pair): Promise<boolean> {
    for (const table of this.#open.keys()) await this.#lookAt(table, pair);
    return this.#open.size === 0;
  }

  async #lookAt(table: TableHistory, pair: Pair): Promise<void> {
    const witnesses = this.#open.get(table) ?? [];
    const keys = witnesses.map(({ row }) => row.key);
    // The order matters: the target may have what the source showed, or come to it.
    const sources = await readKeys(pair.source, 'source', table.form, keys);
    const targets = await readStates(pair.target, table, keys);
    const verdicts = new Map<Witness, Verdict>();
    for (const [i, witness] of witnesses.entries()) {
      const target = targets[i];
      if (target === undefined) continue;
      const seen = this.#note(witness, sources[i] ?? null, target);
      const verdict = judge(witness, seen, this.#options.counter.confirmed);
      verdicts.set(witness, verdict);
      if (verdict === 'seen') this.#told.add(table);
      if (verdict === 'behind') this.#refuseStanding(table, seen);
    }
    const left = witnesses.filter((witness) => {
      const verdict = verdicts.get(witness);
      if (verdict === 'moving') {
        return !this.#told.has(table) && this.#seen.get(witness)?.targetMoved !== true;
      }
      return verdict === 'behind';
    });
    if (left.length > 0) this.#open.set(table, left);
    else this.#open.delete(table);
  }

  #note(witness: Witness, source: string | null, target: TargetState): Seen {
    const before = this.#seen.get(witness);
    const moved = before !== undefined && before.source !== source;
    const targetMoved = before !== undefined && before.target.digest !== target.digest;
    const differs = source !== target.digest && this.#options.settled();
    const stands = differs && !moved && !targetMoved;
    const seen = {
      source,
      target,
      moves: moved ? (before?.moves ?? 0) + 1 : 0,
      targetMoved: targetMoved || before?.targetMoved === true,
      equal: source === target.digest ? (before?.equal ?? 0) + 1 : 0,
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
        next: 'find out who writes to the target; retry-phase empties it and loads it anew',
      },
    );
  }
}

function judge({ row, change }: Witness, seen: Seen, confirmed: number): Verdict {
  const isEqual = seen.source === seen.target.digest;
  const at = row.place(seen.target.fingerprint, change, confirmed);
  if (isEqual) {
    // A state that the row had before the mark, too, may be that one, and the source's a later one.
    if (!at.before) return 'seen';
    return at.since || seen.equal >= EQUAL_LOOKS ? 'like' : 'behind';
  }
  // Older than the source's row now, but not older than the mark.
  if (at.since && !at.before && !at.newest) return 'seen';
  return seen.moves >= MOVING_LOOKS ? 'moving' : 'behind';
}
