import type { LogLevel, LogMetadata, Logger } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import { destination, pino } from 'pino';

/** Temporal's log lines, the workflow's and the activities', as JSON lines on stderr. */
export function createWorkerLog(level: string): Logger {
  return new WorkerLog(pino({ level, base: { app: 'skyferry' } }, destination(2)));
}

const levels = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const;

class WorkerLog implements Logger {
  readonly #log: Pino;

  constructor(log: Pino) {
    this.#log = log;
  }

  log(level: LogLevel, message: string, meta: LogMetadata = {}): void {
    this.#log[levels[level]](readable(meta), message);
  }

  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }

  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }

  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }

  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }

  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}

/** Nanosecond timestamps are bigints and the SDK's own marks are symbols: JSON knows neither. */
function readable(meta: LogMetadata): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta)
      .filter(([key]) => key !== 'timestampNanos')
      .map(([key, value]) => [key === 'error' ? 'err' : key, plain(value)]),
  );
}

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
