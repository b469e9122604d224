import { resolve } from 'node:path'
import { Config } from '@oclif/core'
import { expect, it } from 'vitest'
import { examplesOf, renderExamples } from '../../../src/lib/operator/examples.js'

it('are of the commands, by purpose, ready for a shell', () => {
  const commands = [
    { id: 'halt', examples: [{ command: '<%= config.bin %> <%= command.id %> --all', description: 'all' }] },
    { id: 'journal:ls', examples: ['<%= config.bin %> <%= command.id %>'] },
    { id: 'help', examples: [{ command: 'x', description: 'of a plugin' }] },
    { id: 'tap' },
  ]
  const examples = examplesOf(commands, 'arbees')
  expect(examples).toEqual([
    { purpose: 'look back', command: 'journal ls', description: '', line: 'arbees journal ls' },
    { purpose: 'stop', command: 'halt', description: 'all', line: 'arbees halt --all' },
  ])
  expect(renderExamples(examples, false)).toContain('stop\n  # all\n  arbees halt --all')
})

it('leave no command out', async () => {
  const config = await Config.load(resolve(import.meta.dirname, '../../..'))
  const own = config.commands.filter(({ pluginName, hidden }) => pluginName === 'arbees' && !hidden)
  const shown = new Set(examplesOf(own, 'arbees').map(({ command }) => command))
  expect(own.map(({ id }) => id.replaceAll(':', ' ')).filter((id) => !shown.has(id))).toEqual([])
  expect(own.length).toBeGreaterThan(30)
})
