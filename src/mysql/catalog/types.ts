import type { QualifiedName } from '../identifier.ts';

/** What a source holds, as read once by `readCatalog`. Names are spelled as the source spells them. */
export interface Catalog {
  readonly schemas: readonly Schema[];
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  readonly routines: readonly Routine[];
  readonly triggers: readonly Trigger[];
  readonly events: readonly ScheduledEvent[];
  /** SHA-256 over the definitions of tables (not over counters and estimates): tells a changed schema. */
  readonly fingerprint: string;
}

export interface Schema {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
}

export interface Table {
  readonly name: QualifiedName;
  readonly engine: string;
  readonly collation: string;
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly { readonly name: string; readonly enforced: boolean }[];
  /**
   * The columns that tell a row for certain: the primary key, else the first unique key whose
   * columns are all NOT NULL, whole (no prefix) and not expressions; null: the table has no key.
   */
  readonly rowKey: RowKey | null;
  readonly partitioned: boolean;
  /** The counter as reported, null without AUTO_INCREMENT. */
  readonly autoIncrement: string | null;
  /** Estimates of information_schema: for plans and chunk sizes only. */
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
  /** SHOW CREATE TABLE, verbatim. */
  readonly createStatement: string;
}

export interface RowKey {
  readonly index: string;
  readonly columns: readonly string[];
}

export interface Column {
  readonly name: string;
  /** 1-based ordinal position: the binlog's column order. */
  readonly ordinal: number;
  /** DATA_TYPE in lower case: `int`, `varchar`, `json`, `geometry`, `vector`, … */
  readonly dataType: string;
  /** COLUMN_TYPE: `int unsigned`, `enum('a','b')`, … */
  readonly columnType: string;
  readonly unsigned: boolean;
  readonly nullable: boolean;
  /** null for types without a character set (binary strings included). */
  readonly charset: string | null;
  readonly collation: string | null;
  readonly generated: 'virtual' | 'stored' | null;
  readonly invisible: boolean;
  readonly autoIncrement: boolean;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly kind: 'btree' | 'fulltext' | 'spatial';
  readonly parts: readonly {
    /** null: a functional key part. */
    readonly column: string | null;
    /** Length of a prefix, null: the whole column. */
    readonly prefix: number | null;
  }[];
}

export type ReferentialAction = 'CASCADE' | 'SET NULL' | 'SET DEFAULT' | 'RESTRICT' | 'NO ACTION';

export interface ForeignKey {
  readonly name: string;
  readonly table: QualifiedName;
  readonly columns: readonly string[];
  readonly referencedTable: QualifiedName;
  readonly referencedColumns: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

/** `definer` as `user@host`; the create statements are SHOW CREATE's, verbatim, with the session they need. */
interface StoredProgram {
  readonly name: QualifiedName;
  readonly definer: string;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  /** The schema's collation when the program was created: the default of its own strings. */
  readonly databaseCollation: string;
  readonly createStatement: string;
}

export interface View extends Omit<StoredProgram, 'sqlMode' | 'databaseCollation'> {
  readonly security: 'DEFINER' | 'INVOKER';
}

export interface Routine extends StoredProgram {
  readonly kind: 'PROCEDURE' | 'FUNCTION';
}

export interface Trigger extends StoredProgram {
  readonly table: QualifiedName;
  /** Order among the triggers of one table, time and event: 1-based. */
  readonly order: number;
}

export interface ScheduledEvent extends StoredProgram {
  readonly status: 'ENABLED' | 'DISABLED' | 'SLAVESIDE_DISABLED' | 'REPLICA_SIDE_DISABLED';
  readonly timeZone: string;
}

export const emptyCatalog: Catalog = {
  schemas: [],
  tables: [],
  views: [],
  routines: [],
  triggers: [],
  events: [],
  fingerprint: '',
};
