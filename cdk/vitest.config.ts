import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Loading aws-cdk-lib takes most of the time: once, not once a file. The tests share nothing that they change.
    isolate: false,
    maxWorkers: 1,
    testTimeout: 300_000,
  },
});
