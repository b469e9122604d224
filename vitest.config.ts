import { defineConfig } from 'vitest/config'

/** Tests that leave nothing behind in their process: many files share one, as each costs a quarter of a second. */
const SHARED = ['test/lib/!(cli)/**/*.test.ts', 'test/{demo,faults,soak}/**/*.test.ts']

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores, and tests that start processes: more workers only make the timing-sensitive socket tests fight each other.
    maxWorkers: 2,
    // Real sockets, processes and clocks on a machine that others use: once more is fair, and the report says so.
    retry: 1,
    disableConsoleIntercept: true,
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: ['**/node_modules/**', ...SHARED] },
      },
      // In a group of its own: a process goes on to what is next in line only where that is shared too.
      {
        extends: true,
        test: {
          ...{ name: 'shared', include: SHARED, isolate: false, sequence: { groupOrder: 1 } },
          // They wait for most of their time: three together use one core.
          maxWorkers: 3,
        },
      },
    ],
  },
})
