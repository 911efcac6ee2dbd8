import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/fetch-servers.ts',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    fileParallelism: true,
    // Most of them wait most of the time: for servers, timers and heartbeats.
    maxWorkers: 3,
  },
});
