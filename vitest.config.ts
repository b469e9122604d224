import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** Tests that leave nothing behind in their process: many files share one, as each costs a quarter of a second. */
const SHARED = ['test/lib/!(cli)/**/*.test.ts', 'test/{demo,faults,soak}/**/*.test.ts']
const NO_TESTS = '**/node_modules/**'

/** They draw anew each time: a counterexample that every other run finds would pass three times of four with two tries. */
const DRAWN = testsBelow('test').filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'"))
const DRAWN_SHARED = DRAWN.filter((file) => /^test\/lib\/(?!cli\/)[^/]+\//.test(file))
const DRAWN_ALONE = DRAWN.filter((file) => !DRAWN_SHARED.includes(file))

function testsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testsBelow(path)
    return path.endsWith('.test.ts') ? [path] : []
  })
}

// In a group of its own: a process goes on to what is next in line only where that is shared too.
const shared = { isolate: false, sequence: { groupOrder: 1 }, maxWorkers: 3 }

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
        test: {
          ...{ name: 'alone', include: ['test/**/*.test.ts'] },
          exclude: [NO_TESTS, ...SHARED, ...DRAWN_ALONE],
        },
      },
      { extends: true, test: { name: 'alone, one try', include: DRAWN_ALONE, retry: 0 } },
      // They wait for most of their time: three together use one core.
      {
        extends: true,
        test: { name: 'shared', include: SHARED, exclude: [NO_TESTS, ...DRAWN_SHARED], ...shared },
      },
      { extends: true, test: { name: 'shared, one try', include: DRAWN_SHARED, retry: 0, ...shared } },
    ],
  },
})
