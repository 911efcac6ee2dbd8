import {
  ApplicationFailure,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { MigrationConfig } from '../config/schema.ts';
import type { ApprovalDesk } from './approval.ts';
import { refuseApproval } from './approval.ts';
import type { Abort, MessageName, MessageRecord } from './messages.ts';
import { signalNames } from './messages.ts';
import { refuseEngine, switchEngine } from './engine-in-use.ts';
import { acceptPreparation, refusePreparation } from './preparation.ts';
import type { Messages } from './read-message.ts';
import { descriptions, readMessage } from './read-message.ts';
import type { State } from './state.ts';
import { isOver, keep, nowIso } from './state.ts';

/**
 * Takes people's messages, as signals (which cannot be refused on the wire: what is wrong with them is
 * recorded) and as updates of the same names (refused by their validator, which leaves no event). No
 * handler waits and none throws, so no message can stop the workflow.
 */
export class Inbox {
  readonly #config: MigrationConfig;
  readonly #state: State;
  readonly #desk: ApprovalDesk;
  readonly #onMessage: () => void;

  constructor(config: MigrationConfig, state: State, desk: ApprovalDesk, onMessage: () => void) {
    this.#config = config;
    this.#state = state;
    this.#desk = desk;
    this.#onMessage = onMessage;
  }

  open(): void {
    for (const name of signalNames) {
      const description = descriptions[name];
      setHandler(defineSignal<[unknown]>(name), (input) => this.#signalled(name, input), {
        description,
      });
      setHandler(
        defineUpdate<MessageRecord, [unknown]>(name),
        (input) => this.#updated(name, input),
        {
          description,
          validator: (input) => {
            const read = readMessage(name, input);
            const reason = read.ok ? this.#refusal(name, read.message) : read.reason;
            if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'REFUSED');
          },
        },
      );
    }
    setDefaultSignalHandler((name) => {
      this.#record({
        name: name.slice(0, 64),
        by: '?',
        via: 'signal',
        outcome: 'refused',
        reason: `unknown: the signals are ${signalNames.join(', ')}`,
      });
    });
  }

  #signalled(name: MessageName, input: unknown): void {
    const read = readMessage(name, input);
    if (!read.ok) {
      this.#record({ name, by: '?', via: 'signal', outcome: 'refused', reason: read.reason });
      return;
    }
    const { by } = read.message;
    const reason = this.#refusal(name, read.message);
    if (reason === null) this.#take(name, read.message, 'signal');
    else this.#record({ name, by, via: 'signal', outcome: 'refused', reason });
  }

  #updated(name: MessageName, input: unknown): MessageRecord {
    const read = readMessage(name, input);
    // The validator has just seen the same input and the same state.
    if (!read.ok) throw ApplicationFailure.nonRetryable(read.reason, 'REFUSED');
    return this.#take(name, read.message, 'update');
  }

  /** Why a message cannot be taken now; null when it can. */
  #refusal<N extends MessageName>(name: N, message: Messages[N]): string | null {
    const state = this.#state;
    if (isOver(state.phase)) return `late: the migration is ${state.phase}`;
    if (state.abort !== null) return `late: ${state.abort.by} has aborted the migration`;
    switch (name) {
      case 'approve-preparation':
        return refusePreparation(state, message);
      case 'approve-cutover':
        return refuseApproval(state, this.#config.cutover.approval.required, message);
      case 'reject-cutover':
        return this.#refuseRejection();
      case 'pause':
        if (state.switchedAt !== null) return 'late: the switch has begun; only forward from here';
        if (state.paused) return 'repeated: it is paused already';
        // Once loaded, changes go on being applied through a pause.
        return state.loaded ? null : (state.binlog?.pause ?? null);
      case 'resume':
        return state.paused ? null : 'it is not paused';
      case 'abort':
        return this.#refuseAbort(message);
      case 'retry-phase':
        return state.phase === 'parked' ? null : `nothing is parked: it is in ${state.phase}`;
      case 'switch-engine':
        return 'engine' in message ? refuseEngine(this.#config, state, message) : null;
      default:
        return `unknown: ${String(name)}`;
    }
  }

  #refuseRejection(): string | null {
    const { phase, switchedAt, verifiedOnce } = this.#state;
    if (phase === 'cutting-over' || switchedAt !== null)
      return 'late: the cutover has begun already';
    return verifiedOnce ? null : `early: nothing can be approved yet; it is in ${phase}`;
  }

  #refuseAbort({ dropTarget }: Abort): string | null {
    if (this.#state.switchedAt !== null) {
      return 'the switch has been done: the target takes writes, so nothing is undone automatically';
    }
    if (dropTarget !== undefined && dropTarget !== this.#config.name) {
      return `dropTarget must be the migration's name, ${this.#config.name}, typed in full`;
    }
    return null;
  }

  #take(
    name: MessageName,
    message: Messages[MessageName],
    via: 'signal' | 'update',
  ): MessageRecord {
    const state = this.#state;
    const reason = 'reason' in message ? message.reason : undefined;
    switch (name) {
      case 'approve-preparation':
        acceptPreparation(state, message, this.#config.cutover.approval.expiresAfter);
        break;
      case 'approve-cutover':
        this.#desk.accept(message);
        break;
      case 'reject-cutover':
        this.#desk.reset();
        state.rejection = { by: message.by, at: nowIso(), ...(reason !== undefined && { reason }) };
        break;
      case 'pause':
        state.paused = true;
        break;
      case 'resume':
        state.paused = false;
        break;
      case 'abort':
        state.abort = {
          by: message.by,
          dropTarget: 'dropTarget' in message && message.dropTarget !== undefined,
          deleteCreated: 'deleteCreated' in message && (message.deleteCreated ?? false),
          ...(reason !== undefined && { reason }),
        };
        break;
      case 'retry-phase':
        state.retry = true;
        break;
      case 'switch-engine':
        if ('engine' in message) switchEngine(this.#config, state, message);
        break;
    }
    const note = 'note' in message ? message.note : decided(message, reason);
    return this.#record({
      name,
      by: message.by,
      via,
      outcome: 'accepted',
      ...(note !== undefined && { note }),
    });
  }

  #record(message: Omit<MessageRecord, 'at'>): MessageRecord {
    const record: MessageRecord = { ...message, at: nowIso() };
    keep(this.#state.messages, record);
    this.#onMessage();
    return record;
  }
}

/** What was said beside the name of the message, for the report. */
function decided(message: object, reason: string | undefined): string | undefined {
  if (!('engine' in message)) return reason;
  return `to ${String(message.engine)}${reason === undefined ? '' : `: ${reason}`}`;
}
