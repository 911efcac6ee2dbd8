/** What the worker bundles: every export is a workflow type. */
export { migrateDatabase } from './migrate-database.ts';
