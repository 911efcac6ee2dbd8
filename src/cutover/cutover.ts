import { SkyferryFailure } from '../failures.ts';
import type { CutoverResult, SettledCutover } from '../workflows/results.ts';
import { forward } from './after-switch.ts';
import { untilSwitch } from './before-switch.ts';
import { compensate } from './compensate.ts';
import type { CutoverJob, CutoverOptions } from './job.ts';
import { CutoverJournal } from './journal.ts';
import { StepList } from './steps.ts';

export type { CutoverJob, CutoverOptions } from './job.ts';

/**
 * Fences the source, proves that it stands still, drains, compares, and switches the consumers in order.
 * Needs a running applier. Before the first switch every failure, an abort and an exceeded budget put
 * everything back and are thrown. Afterwards it goes forward only, except when it is proved that the
 * target took no write. Killed at any moment it can be called again and carries on; or `settleCutover`
 * is called instead.
 */
export async function cutOver(given: CutoverJob, options: CutoverOptions): Promise<CutoverResult> {
  const journal = await CutoverJournal.takeOver(given.target, given.migration);
  try {
    if (journal.state.finished !== undefined) return journal.state.finished;
    const { former } = journal.state;
    const job = former === undefined ? given : { ...given, fence: given.fenceOf(former.kind) };
    const steps = new StepList(journal.state.steps ?? [], options.onStep);
    if (!journal.switchBegun) {
      await untilSwitch(job, options.signal, journal, steps);
    }
    return await forward(job, journal, steps);
  } finally {
    await journal.close();
  }
}

/**
 * For a start that finds the checkpoint of another: un-fences what an earlier cutover, whose workflow is
 * gone, left fenced. Nothing when there was none. Safe to repeat.
 */
export async function settleEarlierCutover(
  job: Pick<CutoverJob, 'target' | 'fenceOf' | 'migration'>,
  options: { signal: AbortSignal },
): Promise<void> {
  const { former, fencedAt } = await CutoverJournal.peek(job.target, job.migration);
  if (former === undefined && fencedAt === undefined) return;
  const { switched, unfenceCommand: command } = await settleCutover(job, options);
  if (!switched) return;
  throw new SkyferryFailure(
    'MIGRATION_CONFLICT',
    `an earlier run of migration ${job.migration} is switching its consumers`,
    {
      safe: 'nothing was changed by this start; the target may have taken writes',
      next: `finish it by hand: point every endpoint at the target. Only when the target took no writes: put every endpoint back, then on the source ${command ?? 'lift the fence'}`,
    },
  );
}

/**
 * After a cutover that did not return: un-fences and removes what was made, unless a switch has begun.
 * An attempt that is still running somewhere can neither switch nor un-fence any more. Safe to repeat.
 */
export async function settleCutover(
  job: Pick<CutoverJob, 'target' | 'fenceOf' | 'migration'>,
  { signal }: { signal: AbortSignal },
): Promise<SettledCutover> {
  signal.throwIfAborted();
  const journal = await CutoverJournal.takeOver(job.target, job.migration);
  try {
    const { former, finished } = journal.state;
    if (finished !== undefined || journal.switchBegun) {
      return {
        switched: true,
        ...(former !== undefined && {
          unfenceCommand: job.fenceOf(former.kind).unfenceCommand(former),
        }),
      };
    }
    const { triggers = [] } = journal.state;
    await compensate(job, journal);
    // While they were there, changes may have been applied, and what they did is in no binlog of the source.
    return { switched: false, ...(triggers.length > 0 && { compareAll: true }) };
  } finally {
    await journal.close();
  }
}
