import type { DataMigrationService } from '../../clouds/azure/data-migration/service.ts';
import type { Catalog } from '../../mysql/catalog/types.ts';
import type { Endpoint } from '../../mysql/endpoint.ts';

/** What finds the tasks of a migration. */
export interface DmsPlace {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly migration: string;
  readonly service: DataMigrationService;
  /** Holds this migration's tasks and no other's. */
  readonly project: string;
}

/** Holds resolved secrets: it never leaves the worker. */
export interface DmsJob extends DmsPlace {
  readonly catalog: Catalog;
  /** The target's lower_case_table_names. */
  readonly lctn: number;
}
