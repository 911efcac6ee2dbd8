import type { Command } from 'commander';
import { registerAbort } from './commands/abort.ts';
import { registerApproveCutover, registerApprovePreparation } from './commands/approve.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDev } from './commands/dev.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerPlan } from './commands/plan.ts';
import { registerInit } from './commands/init.ts';
import { registerPause } from './commands/pause.ts';
import { registerRejectCutover } from './commands/reject-cutover.ts';
import { registerReport } from './commands/report.ts';
import { registerResume } from './commands/resume.ts';
import { registerRetry } from './commands/retry.ts';
import { registerSchema } from './commands/schema.ts';
import { registerStart } from './commands/start.ts';
import { registerSwitchEngine } from './commands/switch-engine.ts';
import { registerStatus } from './commands/status.ts';
import { registerValidate } from './commands/validate.ts';
import { registerVerify } from './commands/verify.ts';
import { registerWorker } from './commands/worker.ts';

/** In the order of a migration's life: the order of `skyferry --help`. */
export function registerCommands(program: Command): void {
  for (const register of [
    registerInit,
    registerValidate,
    registerSchema,
    registerDoctor,
    registerPlan,
    registerStart,
    registerStatus,
    registerApprovePreparation,
    registerApproveCutover,
    registerRejectCutover,
    registerPause,
    registerResume,
    registerAbort,
    registerRetry,
    registerSwitchEngine,
    registerVerify,
    registerReport,
    registerWorker,
    registerDev,
    registerDemo,
  ]) {
    register(program);
  }
}
