import { resolve } from 'node:path'
import { Config } from '@oclif/core'
import type { Command } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import AlignedHelp from '../../../src/lib/cli/help.js'

class Shown extends AlignedHelp {
  rootText(): string {
    return this.formatRoot()
  }
  commandText(command: Command.Loadable): string {
    return this.formatCommand(command)
  }
}

describe('help', () => {
  it('of every command and of all fits into 80 columns, and its usage is tidy', async () => {
    const config = await Config.load(resolve(import.meta.dirname, '../../..'))
    const help = new Shown(config, { maxWidth: 80 })
    const own = config.commands.filter(({ pluginName }) => pluginName === config.name)
    const texts = [
      ['', help.rootText()],
      ...own.map((each) => [each.id, help.commandText(each)] as const),
    ] as const
    expect(texts.length).toBeGreaterThan(30)
    const wide = texts.flatMap(([id, text]) => text.split('\n').map((line) => [id, line] as const))
    expect(wide.filter(([, line]) => [...line].length > 80)).toEqual([])
    expect(wide.filter(([, line]) => /\[-[^\]]* \]/.test(line))).toEqual([])
  })
})
