import type { Random } from '../../sample/seed/random.ts';
import type { OwnRows } from '../own-rows.ts';
import type { WatchedName } from '../watched-tables.ts';
import { delistInstrument, dropJob, listInstrument, renameInstrument, renameJob, swapSlots } from './instruments.ts'; // prettier-ignore
import { transfer } from './money.ts';
import { amendOrder, cancelOrder, dropNotes, placeOrder, replaceSettlement } from './orders.ts';
import { writeDocument, writeEveryType, writePulse, writeTape } from './papers.ts';
import { changeDesks, changeMembers, closeCustomer, openCustomer } from './people.ts';
import type { Scope } from './scope.ts';

export interface Kind {
  readonly name: string;
  readonly run: (scope: Scope) => Promise<void>;
  readonly weight: number;
  /** Wants at least this many own rows. */
  readonly needs?: readonly [table: WatchedName, atLeast: number];
  /** Stops when there are so many, so that a long run does not grow for ever. */
  readonly below?: readonly [table: WatchedName, count: number];
  /** Without it every scan of the table without a key would lock all its rows. */
  readonly readCommitted?: true;
}

export const kinds: readonly Kind[] = [
  { name: 'transfer', run: transfer, weight: 30 },
  { name: 'place-order', run: placeOrder, weight: 18, below: ['order', 60] },
  { name: 'amend-order', run: amendOrder, weight: 12, needs: ['order', 1] },
  { name: 'cancel-order', run: cancelOrder, weight: 10, needs: ['order', 5] },
  { name: 'replace-settlement', run: replaceSettlement, weight: 3, needs: ['settlement', 1] },
  { name: 'drop-notes', run: dropNotes, weight: 3, needs: ['note', 8] },
  { name: 'list-instrument', run: listInstrument, weight: 5, below: ['instrument', 20] },
  { name: 'rename-instrument', run: renameInstrument, weight: 5, needs: ['instrument', 1] },
  { name: 'delist-instrument', run: delistInstrument, weight: 3, needs: ['instrument', 4] },
  { name: 'swap-slots', run: swapSlots, weight: 4, needs: ['instrument', 2] },
  { name: 'rename-job', run: renameJob, weight: 4, needs: ['job', 1] },
  { name: 'drop-job', run: dropJob, weight: 3, needs: ['job', 6] },
  { name: 'open-customer', run: openCustomer, weight: 4, below: ['customer', 20] },
  { name: 'close-customer', run: closeCustomer, weight: 3, needs: ['customer', 3] },
  { name: 'change-desks', run: changeDesks, weight: 4 },
  { name: 'change-members', run: changeMembers, weight: 5 },
  { name: 'write-tape', run: writeTape, weight: 7, readCommitted: true },
  { name: 'write-pulse', run: writePulse, weight: 4 },
  { name: 'write-document', run: writeDocument, weight: 4 },
  { name: 'write-every-type', run: writeEveryType, weight: 6 },
];

export function pickKind(random: Random, own: OwnRows): Kind {
  const possible = kinds.filter(
    ({ needs, below }) =>
      (needs === undefined || own.count(needs[0]) >= needs[1]) &&
      (below === undefined || own.count(below[0]) < below[1]),
  );
  const total = possible.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.integer(0, total - 1);
  for (const kind of possible) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  throw new RangeError('no kind of transaction is possible');
}
