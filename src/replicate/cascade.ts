import type { FilePosition } from '../mysql/position.ts';
import type { CascadingKey } from './replicated-tables.ts';

/** A referenced key's values in the text protocol's form; null: SQL NULL. */
export type KeyText = readonly (Buffer | null)[];

/**
 * What the source did to the children of one row without logging it. `to` null: the parent was
 * deleted; else its referenced columns changed from `from` to `to`.
 */
export interface Cascade {
  readonly key: CascadingKey;
  readonly from: KeyText;
  readonly to: KeyText | null;
  /** After the parent's event. */
  readonly at: FilePosition;
}
