import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { MigrationStatus, Phase } from '../../../workflows/messages.ts';
import { explain } from '../follow.ts';
import type { DemoProgram } from '../programs.ts';
import type { CloudsKill } from './kill-worker.ts';
import { due, killWorker } from './kill-worker.ts';
import type { PlannedKill } from './kills.ts';
import type { Glance } from './open-activities.ts';
import { glance } from './open-activities.ts';

export interface DriveOptions {
  /** In the order in which the migration comes to them. */
  readonly kills: readonly PlannedKill[];
  readonly startWorker: () => DemoProgram;
  /** The applications are locked out of the source. */
  readonly isFenced: () => Promise<boolean>;
  /** How long the approval of the cutover is waited for. */
  readonly approveAfterMs?: number;
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly say: (line: string) => void;
}

const PHASE_TIMEOUT_MS = 240_000;
const POLL_MS = 50;
/** Where a kill is due next: some activities last for a fraction of a second. */
const CLOSE_POLL_MS = 5;

/**
 * Plays the person and the accidents: approves, tries again what a kill has parked, and kills the worker
 * at each planned moment. Resolves when the migration is completed.
 */
export class Driver {
  readonly #handle: WorkflowHandle;
  readonly #options: DriveOptions;
  readonly #left: PlannedKill[];
  readonly #kills: CloudsKill[] = [];
  #worker: DemoProgram;
  #killedAt = 0;
  #phase: Phase | undefined;
  #phaseSince = Date.now();
  #preparationApproved = false;
  #cutoverApproved = false;

  constructor(handle: WorkflowHandle, options: DriveOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#left = [...options.kills];
    this.#worker = options.startWorker();
  }

  async stopWorker(): Promise<void> {
    await this.#worker.stop();
  }

  async drive(): Promise<readonly CloudsKill[]> {
    for (;;) {
      const seen = await glance(this.#handle);
      this.#follow(seen);
      if (!seen.running) break;
      if (await this.#kill(seen)) continue;
      await this.#answer(seen);
      const close = this.#left[0]?.phase === seen.phase;
      await sleep(close ? CLOSE_POLL_MS : POLL_MS, undefined, { signal: this.#options.signal });
    }
    if (this.#phase !== 'completed') throw await explain(this.#handle, 'completed');
    this.#miss(this.#left.length);
    return this.#kills;
  }

  #follow({ phase }: Glance): void {
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#phaseSince = Date.now();
      if (phase !== undefined) this.#options.say(phase);
    } else if (Date.now() - this.#phaseSince > PHASE_TIMEOUT_MS) {
      throw new Error(`still ${phase ?? 'not begun'} after ${PHASE_TIMEOUT_MS / 1000} s`);
    }
  }

  /** The first planned moment that is now; those before it can come no more. */
  async #kill(seen: Glance): Promise<boolean> {
    const next = this.#left.findIndex((planned) => due(planned, seen) !== undefined);
    const planned = this.#left[next];
    const open = planned === undefined ? undefined : due(planned, seen);
    if (planned === undefined || open === undefined) return false;
    if (planned.fenced && !(await this.#options.isFenced())) return false;
    this.#miss(next);
    this.#left.shift();
    const kill = await killWorker(this.#handle, this.#worker, planned, open);
    this.#killedAt = Date.now();
    this.#kills.push(kill);
    const late = kill.met === null ? ' (too late: it had just ended)' : '';
    this.#options.say(
      `killed the worker (SIGKILL) while ${planned.during}${late}; starting another`,
    );
    this.#worker = this.#options.startWorker();
    return true;
  }

  #miss(count: number): void {
    for (const planned of this.#left.splice(0, count)) {
      this.#options.say(`no kill while ${planned.during}: it was over too soon`);
      this.#kills.push({ ...planned, met: null });
    }
  }

  async #answer({ phase, open }: Glance): Promise<void> {
    if (phase === 'awaiting-preparation' && !this.#preparationApproved) {
      this.#preparationApproved = true;
      await this.#approvePreparation();
    } else if (phase === 'awaiting-approval' && !this.#cutoverApproved) {
      if (this.#left[0]?.phase === phase) return;
      // What a killed worker ran is running again, so that the lag is small.
      if (open.some(({ startedAt }) => (startedAt ?? 0) < this.#killedAt)) return;
      if (Date.now() - this.#phaseSince < (this.#options.approveAfterMs ?? 0)) return;
      this.#cutoverApproved = true;
      await this.#approveCutover();
    } else if (phase === 'parked') {
      await this.#tryAgain();
    }
  }

  async #approvePreparation(): Promise<void> {
    const { say } = this.#options;
    const { preparation } = await this.#handle.query<MigrationStatus>('status');
    if (preparation === undefined) throw new Error('there is nothing to prepare');
    for (const { name, does, interrupts, costs } of preparation.acts) {
      say(
        `  ${name}: ${[does, interrupts, costs].filter((part) => part !== undefined).join('; ')}`,
      );
    }
    say('nothing is changed yet; approving the preparation');
    const { planHash } = preparation;
    await this.#handle.executeUpdate('approve-preparation', { args: [{ by: 'demo', planHash }] });
  }

  async #approveCutover(): Promise<void> {
    const { planHash, lagMs } = await this.#handle.query<MigrationStatus>('status');
    this.#options.say(
      `every row compared under writes, lag ${lagMs ?? '?'} ms; approving the cutover`,
    );
    await this.#handle.executeUpdate('approve-cutover', {
      args: [{ by: 'demo', ...(planHash !== undefined && { planHash }) }],
    });
  }

  /** A cutover whose worker is gone is taken back, and waits for a person. Anything else is an error. */
  async #tryAgain(): Promise<void> {
    const { parkedIn, failure } = await this.#handle.query<MigrationStatus>('status');
    const killed = this.#kills.at(-1)?.activity === 'cutOver';
    if (!killed || !this.#cutoverApproved || parkedIn !== 'cutting-over') {
      throw await explain(this.#handle, 'going on');
    }
    this.#cutoverApproved = false;
    this.#options.say(
      `taken back (${failure?.message ?? ''}), the source takes writes; retry-phase`,
    );
    await this.#handle.executeUpdate('retry-phase', { args: [{ by: 'demo' }] });
  }
}
