import { fileURLToPath } from 'node:url';
import type { BundleOptions, WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Run from `src` (vitest, a TypeScript loader) or from `dist`: the workflows lie beside this file. */
const workflowsPath = fileURLToPath(
  new URL(`./workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

export async function bundleWorkflows(
  options: Omit<BundleOptions, 'workflowsPath'> = {},
): Promise<WorkflowBundleWithSourceMap> {
  return await bundleWorkflowCode({ logger: quiet, ...options, workflowsPath });
}

const ignore = () => {};
/** webpack's report on a bundle that was built is of no use; failures are thrown. */
const quiet = {
  log: ignore,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
