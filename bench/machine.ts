import { availableParallelism, cpus, totalmem } from 'node:os';

/** What ran the bench, for whoever compares its figures. */
export function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${availableParallelism()} cores (${model}), ${gigabytes} GB; Node ${process.versions.node}`;
}
