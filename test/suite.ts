import { resolveMysqld, resolveNamed, resolveTemporal } from '../src/sandbox/resolver/resolve.ts';
import { forgetWorkflowCode } from './workflow-code.ts';

/**
 * Before any test: with an empty cache the servers are fetched now, with progress on stderr, instead
 * of within some test's time limit.
 */
export async function setup(): Promise<void> {
  await resolveMysqld();
  await resolveTemporal();
  await resolveNamed();
  await forgetWorkflowCode();
}
