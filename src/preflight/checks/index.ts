import type { Engine } from '../../config/schema.ts';
import type { SourceSide } from '../facts.ts';
import type { Check } from '../finding.ts';
import { dmsObjectsCheck } from './azure-dms-objects.ts';
import { dmsPrivilegesCheck } from './azure-dms-privileges.ts';
import { dmsServiceCheck } from './azure-dms-service.ts';
import { dmsSettingsCheck } from './azure-dms-settings.ts';
import { dmsTablesCheck } from './azure-dms-tables.ts';
import { binlogFiltersCheck } from './binlog-filters.ts';
import { binlogCheck } from './binlog.ts';
import { collationsCheck } from './collations.ts';
import { columnsCheck } from './column-types.ts';
import { consumersCheck } from './consumers.ts';
import { definersCheck } from './definers.ts';
import { diskCheck } from './disk.ts';
import { fenceKindCheck } from './fence-kind.ts';
import { fenceRehearsalCheck } from './fence-rehearsal.ts';
import { fenceCheck } from './fence.ts';
import { foreignKeysCheck } from './foreign-keys.ts';
import { generatedKeysCheck } from './generated-keys.ts';
import { jsonScalarsCheck } from './json-scalars.ts';
import { loadSettingsCheck } from './load-settings.ts';
import { nativePrivilegesCheck } from './native-privileges.ts';
import { nativeReplicationCheck } from './native-replication.ts';
import { nativeServersCheck } from './native-servers.ts';
import { otherSchemasCheck } from './other-schemas.ts';
import { packetSizeCheck } from './packet-size.ts';
import { retentionCheck } from './retention.ts';
import { rowKeysCheck } from './row-keys.ts';
import { rowMetadataCheck } from './row-metadata.ts';
import { schemasCheck } from './schemas.ts';
import { serverDefaultsCheck } from './server-defaults.ts';
import { serverIdentityCheck } from './server-identity.ts';
import { sourcePrivilegesCheck } from './source-privileges.ts';
import { sqlModeCheck } from './sql-mode.ts';
import { storageEnginesCheck } from './storage-engines.ts';
import { storedProgramsCheck } from './stored-programs.ts';
import { switchesCheck } from './switches.ts';
import { tableNamesCheck } from './table-names.ts';
import { targetEmptyCheck } from './target-empty.ts';
import { targetPrivilegesCheck } from './target-privileges.ts';
import { timeZonesCheck } from './time-zones.ts';
import { sourceVersionCheck, versionsCheck } from './versions.ts';
import { xaTransactionsCheck } from './xa-transactions.ts';

/** What can be known before the target is made: there what it finds costs nothing yet. */
export const sourceChecks: readonly Check<SourceSide>[] = [
  sourceVersionCheck,
  sourcePrivilegesCheck,
  binlogFiltersCheck,
  rowMetadataCheck,
  xaTransactionsCheck,
  schemasCheck,
  storageEnginesCheck,
  rowKeysCheck,
  columnsCheck,
  jsonScalarsCheck,
  foreignKeysCheck,
  tableNamesCheck,
  fenceKindCheck,
  fenceCheck,
  otherSchemasCheck,
];

/** The same of the engine in use. */
export const sourceChecksOfEngine: Readonly<Record<Engine, readonly Check<SourceSide>[]>> = {
  'built-in': [],
  native: [nativeServersCheck],
  'azure-dms': [dmsServiceCheck, dmsTablesCheck, dmsObjectsCheck],
};

/** What any engine needs, in the order in which a person would look: servers, rights, binlog, schema, target, cutover. */
export const checks: readonly Check[] = [
  versionsCheck,
  serverIdentityCheck,
  sourcePrivilegesCheck,
  targetPrivilegesCheck,
  binlogCheck,
  binlogFiltersCheck,
  rowMetadataCheck,
  retentionCheck,
  xaTransactionsCheck,
  schemasCheck,
  storageEnginesCheck,
  rowKeysCheck,
  columnsCheck,
  jsonScalarsCheck,
  foreignKeysCheck,
  storedProgramsCheck,
  definersCheck,
  tableNamesCheck,
  collationsCheck,
  targetEmptyCheck,
  loadSettingsCheck,
  generatedKeysCheck,
  packetSizeCheck,
  sqlModeCheck,
  serverDefaultsCheck,
  timeZonesCheck,
  diskCheck,
  fenceKindCheck,
  fenceCheck,
  fenceRehearsalCheck,
  otherSchemasCheck,
  consumersCheck,
  switchesCheck,
];

/** What one engine needs beyond that. The built-in one applies with what all of them load or repair with. */
export const engineChecks: Readonly<Record<Engine, readonly Check[]>> = {
  'built-in': [],
  native: [nativeServersCheck, nativePrivilegesCheck, nativeReplicationCheck],
  'azure-dms': [
    dmsServiceCheck,
    dmsPrivilegesCheck,
    dmsSettingsCheck,
    dmsTablesCheck,
    dmsObjectsCheck,
  ],
};
