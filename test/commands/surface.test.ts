import { resolve } from 'node:path'
import { Config, Parser, loadHelpClass } from '@oclif/core'
import type { Command } from '@oclif/core'
import { beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
/** Of oclif's own plugins. */
const FOREIGN = new Set(['help', 'autocomplete', 'autocomplete:create', 'autocomplete:script'])

/** The part of oclif's help that makes text. */
interface Formatting {
  formatCommand(command: Command.Loadable): string
}

let config: Config
let commands: { readonly id: string; readonly command: Command.Class }[]
beforeAll(async () => {
  config = await Config.load(ROOT)
  const own = config.commands.filter(({ id, hidden }) => !FOREIGN.has(id) && !hidden)
  commands = await Promise.all(own.map(async (each) => ({ id: each.id, command: await each.load() })))
  commands.sort((a, b) => (a.id < b.id ? -1 : 1))
})

const flagsOf = ({ flags, baseFlags }: Command.Class) => ({ ...baseFlags, ...flags })
const words = (id: string): string => id.replaceAll(':', ' ')

/** What scripts rely on: names, letters, choices, what must be given. */
function surfaceOf({ id, command }: { readonly id: string; readonly command: Command.Class }): string[] {
  const args = Object.entries(command.args).map(([name, { required, options }]) => {
    const choices = options === undefined ? '' : `=${options.join('|')}`
    return required === true ? `<${name}${choices}>` : `[${name}${choices}]`
  })
  const flags = Object.entries(flagsOf(command))
    .filter(([, { hidden }]) => hidden !== true)
    .map(([name, flag]) => {
      const letter = flag.char === undefined ? '' : `-${flag.char} `
      const choices = 'options' in flag && flag.options !== undefined ? `=${flag.options.join('|')}` : ''
      const value = flag.type === 'boolean' ? (flag.allowNo === true ? ' (--no-)' : '') : choices || '=…'
      return `  ${letter}--${name}${value}${flag.required === true ? ' required' : ''}`
    })
  const json = command.enableJsonFlag ? ['  --json'] : []
  return [`${words(id)}${args.map((arg) => ` ${arg}`).join('')}`, ...[...flags, ...json].sort(), '']
}

/** As a shell would, as far as our examples go. */
function splitWords(line: string): string[] {
  const [command = ''] = line.split(/ [|<>#] /)
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
}

describe('the commands', () => {
  it('are what they were: scripts rely on names, letters, choices and what must be given', async () => {
    await expect(commands.flatMap(surfaceOf).join('\n')).toMatchFileSnapshot('./surface.txt')
  })

  it('have help whose flags stand in line', async () => {
    const HelpClass = await loadHelpClass(config)
    const help = new HelpClass(config, config.pjson.oclif.helpOptions) as unknown as Formatting
    for (const { id } of commands) {
      const text = help.formatCommand(config.findCommand(id, { must: true }))
      const sections = text.split(/\n(?=[A-Z])/)
      for (const section of sections.filter((section) => /^([A-Z]+ )?FLAGS\n/.test(section))) {
        const columns = section
          .split('\n')
          .flatMap((line) => line.match(/^ {2,6}(-\w, )?(?=--)/)?.[0].length ?? [])
        expect([id, new Set(columns).size]).toEqual([id, 1])
      }
    }
  })

  it('each say what they do, and show it', () => {
    for (const { id, command } of commands) {
      expect([id, command.summary !== undefined, command.description !== undefined]).toEqual([id, true, true])
      expect([id, (command.examples ?? []).length > 0]).toEqual([id, true])
      for (const [name, flag] of Object.entries(flagsOf(command))) {
        expect([id, name, (flag.summary ?? flag.description) !== undefined]).toEqual([id, name, true])
      }
    }
  })

  it('show examples that their own flags and arguments take', async () => {
    let shown = 0
    for (const { id, command } of commands) {
      for (const example of command.examples ?? []) {
        const text = typeof example === 'string' ? example : example.command
        const start = '<%= config.bin %> <%= command.id %>'
        if (!text.startsWith(start)) continue
        // oclif adds --json where a command has it switched on.
        const argv = splitWords(text.slice(start.length)).filter(
          (word) => !(word === '--json' && command.enableJsonFlag),
        )
        const parsed = await Parser.parse(argv, {
          ...{ args: command.args, flags: flagsOf(command) },
          strict: command.strict,
        }).then(
          () => 'taken',
          (error: unknown) => String(error),
        )
        expect([id, text, parsed]).toEqual([id, text, 'taken'])
        shown++
      }
    }
    expect(shown).toBeGreaterThan(60)
  })
})
