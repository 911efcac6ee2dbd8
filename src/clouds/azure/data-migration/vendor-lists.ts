// What the vendor's specification lists, in its spelling. Anything else is reported, not guessed at.

/** To null (it goes on), or to how it ended. */
export const taskStates: Readonly<Record<string, null | 'succeeded' | 'failed'>> = {
  Unknown: null,
  Queued: null,
  Running: null,
  Succeeded: 'succeeded',
  Canceled: 'failed',
  Failed: 'failed',
  FailedInputValidation: 'failed',
  Faulted: 'failed',
};

export const commandStates = new Set(['Unknown', 'Accepted', 'Running', 'Succeeded', 'Failed']);

export const databaseStates = new Set([
  'UNDEFINED',
  'CONFIGURING',
  'INITIALIAZING',
  'STARTING',
  'RUNNING',
  'READY_TO_COMPLETE',
  'COMPLETING',
  'COMPLETE',
  'CANCELLING',
  'CANCELLED',
  'FAILED',
  'VALIDATING',
  'VALIDATION_COMPLETE',
  'VALIDATION_FAILED',
  'RESTORE_IN_PROGRESS',
  'RESTORE_COMPLETED',
  'BACKUP_IN_PROGRESS',
  'BACKUP_COMPLETED',
]);

export const tableStates = new Set([
  'BEFORE_LOAD',
  'FULL_LOAD',
  'COMPLETED',
  'CANCELED',
  'ERROR',
  'FAILED',
]);

export const resultTypes = new Set([
  'MigrationLevelOutput',
  'DatabaseLevelOutput',
  'TableLevelOutput',
  'DatabaseLevelErrorOutput',
  'ErrorOutput',
]);
