import { Args } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import type { Example } from '../lib/operator/examples.js'
import { ArbeesError, EXIT } from '../lib/core/errors.js'

export default class Examples extends BaseCommand {
  static override summary = 'show what can be typed, by what it is for'
  static override description = 'The examples of every command, or of some, as their --help shows them.'
  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'of one command', command: '<%= config.bin %> <%= command.id %> tap' },
    { description: 'of all commands of a topic', command: '<%= config.bin %> <%= command.id %> journal' },
    {
      description: 'for a purpose: see, measure, look back, stop, run, configure',
      command: '<%= config.bin %> <%= command.id %> look back',
    },
  ]
  static override strict = false
  static override args = {
    command: Args.string({ description: 'a command, the first word of several, or a purpose' }),
  }

  async run(): Promise<{ examples: Example[] }> {
    const { argv } = await this.parse(Examples)
    const { examplesOf, renderExamples } = await import('../lib/operator/examples.js')
    const wanted = argv.join(' ')
    const examples = examplesOf(this.config.commands, this.config.bin).filter(
      ({ purpose, command }) => ['', purpose, command].includes(wanted) || command.startsWith(`${wanted} `),
    )
    if (examples.length === 0) {
      throw new ArbeesError('UNKNOWN_COMMAND', `no command and no purpose is named '${wanted}'`, {
        exit: EXIT.USAGE,
        hint: 'arbees --help lists them',
      })
    }
    if (process.stdout.isTTY) this.log(renderExamples(examples, this.colors))
    else for (const example of examples) this.log(JSON.stringify(example))
    return { examples }
  }
}
