import type { Fault } from '../../service.ts';
import type { TaskState } from './state.ts';

/** What ends a task in a state of its own. */
export class TaskEnd extends Error {
  readonly state: TaskState;
  readonly code: string;

  constructor(state: TaskState, code: string, message: string) {
    super(message);
    this.state = state;
    this.code = code;
  }
}

/** Work that is told to fail. @throws TaskEnd */
export function failAsTold(fault: Fault | null, state: TaskState = 'Failed'): void {
  if (fault?.kind !== 'fail-operation') return;
  throw new TaskEnd(state, fault.code ?? 'InternalServerError', 'The task was told to fail.');
}
