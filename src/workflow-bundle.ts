import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleOptions, WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Run from `src` (vitest, a TypeScript loader) or from `dist`: the workflows lie beside this file. */
const fromSource = import.meta.url.endsWith('.ts');
const root = fileURLToPath(new URL('.', import.meta.url));
const workflowsPath = join(root, 'workflows', fromSource ? 'index.ts' : 'index.js');
const cacheFile = join(root, 'workflow-bundle.json');

export async function bundleWorkflows(
  options: Omit<BundleOptions, 'workflowsPath'> = {},
): Promise<WorkflowBundleWithSourceMap> {
  return await bundleWorkflowCode({ logger: quiet, ...options, workflowsPath });
}

/**
 * The bundle's code. Bundling takes seconds, which a worker that replaces a lost one should not lose: the
 * built tree keeps its bundle, valid for exactly the files that it was made of.
 */
export async function workflowCode(): Promise<string> {
  if (fromSource) return (await bundleWorkflows()).code;
  const fingerprint = await fingerprintOf(root);
  const cached = await readCache();
  if (cached?.fingerprint === fingerprint) return cached.code;
  const { code } = await bundleWorkflows();
  await writeCache({ fingerprint, code });
  return code;
}

interface CachedBundle {
  readonly fingerprint: string;
  readonly code: string;
}

async function readCache(): Promise<CachedBundle | undefined> {
  try {
    return JSON.parse(await readFile(cacheFile, 'utf8')) as CachedBundle;
  } catch {
    // None yet, or half of one: it is made anew.
    return undefined;
  }
}

async function writeCache(bundle: CachedBundle): Promise<void> {
  const temporary = `${cacheFile}.${process.pid}`;
  try {
    await writeFile(temporary, JSON.stringify(bundle));
    await rename(temporary, cacheFile);
  } catch (error) {
    // Installed where this user may not write: then every start bundles.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
  }
}

/** SHA-256 over the names and contents of all built modules. */
async function fingerprintOf(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith('.js'))
    .sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest('hex');
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
