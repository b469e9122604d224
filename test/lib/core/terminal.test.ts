import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { terminalWidth } from '../../../src/lib/core/terminal.js'

describe('the width of a terminal', () => {
  it.each([
    [{ columns: 132 }, 132],
    [{ columns: 0 }, 80],
    [{}, 80],
  ])('%j is %s columns', (terminal, width) => {
    expect(terminalWidth(terminal)).toBe(width)
  })

  it('is asked in one place by all commands: 0 columns would make their tables blank', () => {
    const folder = new URL('../../../src/commands/', import.meta.url)
    const asks = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) =>
        /width: (?:process\.)?std(?:out|err)\.columns/.test(readFileSync(new URL(file, folder), 'utf8')),
      )
    expect(asks).toEqual([])
  })
})
