/** One schema of the sample, as statements in the order in which they run. */
export interface SchemaDefinition {
  readonly name: string;
  readonly create: string;
  /** Named without their schema: run with it as the default database. Parents before children. */
  readonly tables: readonly string[];
  readonly routines: readonly string[];
  readonly views: readonly string[];
  /** Created after the rows, so that seeding does not fire them. */
  readonly triggers: readonly string[];
  /** Created last: an enabled one starts to write at once. */
  readonly events: readonly string[];
}
