import type { ActivityOptions } from '@temporalio/workflow';
import { ActivityCancellationType } from '@temporalio/workflow';

/**
 * Every timeout and retry of the workflow. Failures that trying again does not change are marked
 * non-retryable where they are raised (failures.ts), so these policies are about the others.
 */
const DAYS = 24 * 3_600_000;

/** Steps that end by themselves but take as long as the number of tables wants. */
export const steady: ActivityOptions = {
  startToCloseTimeout: '1d',
  heartbeatTimeout: '10s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '30s',
    maximumAttempts: 8,
  },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** Round trips to servers that answer at once. */
export const brief: ActivityOptions = {
  startToCloseTimeout: '2m',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '30s',
    maximumAttempts: 8,
  },
};

/** Requests to a cloud and waiting for its operations: it may ask to come back later, for long. */
export const cloud: ActivityOptions = {
  startToCloseTimeout: '6h',
  heartbeatTimeout: '10s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '1m',
    maximumAttempts: 20,
  },
  // Nobody may look at a resource while an older request for it is still on its way.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** Work for as long as the data lasts; a dead worker is noticed by its missing heartbeat. */
export const long: ActivityOptions = {
  startToCloseTimeout: 365 * DAYS,
  heartbeatTimeout: '10s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    // A lost worker counts as an attempt: the fifth in a month must not leave changes waiting for a minute.
    maximumInterval: '10s',
    // A server may be away for a quarter of an hour before a person is needed.
    maximumAttempts: 100,
  },
  // The next step may begin only when this one has let go of its connections.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/** Waiting that changes nothing: nobody needs to wait until it has stopped. */
export const watching: ActivityOptions = {
  ...long,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
};

/** One attempt: what became of it is found out by `settling`, never by trying again blindly. */
export const cutover: ActivityOptions = {
  startToCloseTimeout: '1h',
  // Approval, window and lag were looked at a moment ago: no worker may begin it hours later.
  scheduleToStartTimeout: '30s',
  heartbeatTimeout: '10s',
  retry: { maximumAttempts: 1 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/**
 * The source may be fenced, so the application may be down: quick, and for as long as it takes. A parameter
 * of RDS takes minutes to be what it was.
 */
export const settling: ActivityOptions = {
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  retry: {
    initialInterval: '200ms',
    backoffCoefficient: 1.5,
    maximumInterval: '5s',
    maximumAttempts: 120,
  },
};

const { scheduleToStartTimeout: _, ...begun } = cutover;

/** After the switch: only forward, whenever a worker is there. */
export const finishing: ActivityOptions = {
  ...begun,
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 1.5,
    maximumInterval: '10s',
    maximumAttempts: 30,
  },
};

/**
 * A long activity that has run well for this long has earned all its attempts anew: otherwise a hundred lost
 * connections in a year would park a migration.
 */
export const RENEWED_AFTER_MS = 30 * 60_000;

/** Well below the server's own suggestion, so that a run's history stays readable and quick to replay. */
export const EVENTS_A_RUN = 400;
