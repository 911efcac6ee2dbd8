import type { Connection } from '../mysql/connection.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import type { RawConnection } from '../mysql/raw-connection.ts';
import { openRawConnection } from '../mysql/open-raw-connection.ts';
import { PacketPool } from './pump.ts';

/**
 * Sessions in which a value's text form is the same on both servers and loses nothing: UTC, every date
 * admitted, zero kept in AUTO_INCREMENT columns, strings as the bytes they are stored in.
 */
const sameText = [
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  "SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
];

/** Some servers end a session after a minute; one is not heard of before the last row of its chunk. */
const mayBeIdle = 'SET SESSION wait_timeout = 28800';

/** A slow target holds the source's rows back: the source waits longer than its default for that. */
export const sourceSession: readonly string[] = [
  ...sameText,
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  mayBeIdle,
  'SET SESSION character_set_results = NULL, net_write_timeout = 600, max_execution_time = 0',
  'SET SESSION sql_select_limit = 18446744073709551615, group_concat_max_len = 1073741824',
];

/**
 * The timeouts end a session whose client stopped in the middle of a chunk, so that its locks do not keep
 * the worker that took over waiting.
 */
export const targetSession: readonly string[] = [
  ...sameText,
  'SET SESSION foreign_key_checks = 0, unique_checks = 0, autocommit = 1, sql_safe_updates = 0',
  'SET SESSION wait_timeout = 120, net_read_timeout = 120, innodb_lock_wait_timeout = 50',
];

/** A running command without a byte for so long is a lost connection. */
const STALL_TIMEOUT_MS = 300_000;

/** Of a `patient` one: an hour, in which one server looks through a table and the other hears nothing. */
const PATIENT_S = 3600;
const patientTarget = `SET SESSION wait_timeout = ${PATIENT_S}, net_read_timeout = ${PATIENT_S}`;

interface Open {
  readonly source: RawConnection;
  readonly target: RawConnection;
  /** An ordinary session on the source: asked for the binlog's end. */
  readonly control: Connection;
  readonly pool: PacketPool;
  readonly patient: boolean;
}

/** The sessions of one worker: opened when needed, reused for every chunk, opened anew after a failure. */
export class Sessions {
  readonly #source: Endpoint;
  readonly #target: Endpoint;
  readonly #signal: AbortSignal;
  #open: Open | null = null;

  constructor(source: Endpoint, target: Endpoint, signal: AbortSignal) {
    this.#source = source;
    this.#target = target;
    this.#signal = signal;
  }

  /** `patient`: for work in which a server may rightly be silent for minutes. */
  async open(patient = false): Promise<Open> {
    const open = this.#open;
    if (open?.source.usable === true && open.target.usable && open.patient === patient) return open;
    this.reset();
    const signal = this.#signal;
    const options = { signal, stallTimeoutMs: patient ? PATIENT_S * 1000 : STALL_TIMEOUT_MS };
    const onTarget = patient ? [...targetSession, patientTarget] : targetSession;
    const opening = [
      openRawConnection(this.#source, { ...options, session: sourceSession }),
      openRawConnection(this.#target, { ...options, session: onTarget }),
      openConnection(this.#source, { signal, session: [mayBeIdle] }),
    ] as const;
    try {
      const [source, target, control] = await Promise.all(opening);
      return (this.#open = { source, target, control, pool: new PacketPool(), patient });
    } catch (error) {
      for (const one of opening)
        void one.then((connection) => connection.destroy()).catch(() => {});
      throw error;
    }
  }

  reset(): void {
    this.#open?.source.destroy();
    this.#open?.target.destroy();
    this.#open?.control.destroy();
    this.#open = null;
  }

  async close(): Promise<void> {
    if (this.#open === null) return;
    const { source, target, control } = this.#open;
    this.#open = null;
    await Promise.all([source.close(), target.close(), control.close()]);
  }
}
