/** Every command's own examples, by what an operator wants to do. */

import { createPalette } from '../view/palette.js'

/** Commands by their first word; a command stands in one group. */
const PURPOSES: readonly (readonly [purpose: string, commands: readonly string[]])[] = [
  ['see', ['top', 'games', 'tap', 'topics', 'markets', 'status', 'check', 'doctor']],
  ['measure', ['latency', 'bench']],
  ['look back', ['explain', 'replay', 'record', 'journal', 'backtest']],
  ['trade by hand', ['order']],
  ['stop', ['halt', 'resume']],
  ['run', ['up', 'sim', 'monitor', 'orchestrator', 'shard', 'exec', 'mirror']],
  ['configure', ['config', 'keys', 'redis', 'schema', 'examples']],
]

/** What oclif knows of a command without loading it. */
export interface DescribedCommand {
  readonly id: string
  readonly examples?:
    readonly (string | { readonly command: string; readonly description?: string })[] | undefined
}

export interface Example {
  readonly purpose: string
  /** As it is typed, without `arbees`. */
  readonly command: string
  readonly description: string
  /** The whole line, for a shell. */
  readonly line: string
}

/** In the order of the groups, then of their commands. Commands without a group are not ours. */
export function examplesOf(commands: readonly DescribedCommand[], bin: string): Example[] {
  return PURPOSES.flatMap(([purpose, firstWords]) =>
    firstWords.flatMap((firstWord) =>
      commands
        .filter(({ id }) => id.split(':')[0] === firstWord)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap(({ id, examples = [] }) => {
          const command = id.replaceAll(':', ' ')
          return examples.map((example) => {
            const { command: text, description = '' } =
              typeof example === 'string' ? { command: example } : example
            const line = text.replaceAll('<%= config.bin %>', bin).replaceAll('<%= command.id %>', command)
            return { purpose, command, description, line }
          })
        }),
    ),
  )
}

/** A heading a group, and each example below what it is for. */
export function renderExamples(examples: readonly Example[], color: boolean): string {
  const { strong, dim } = createPalette(color)
  const purposes = [...new Set(examples.map(({ purpose }) => purpose))]
  const groups = purposes.map((purpose) => {
    const own = examples.filter((example) => example.purpose === purpose)
    return [
      strong(purpose),
      ...own.flatMap(({ description, line }) => [dim(`  # ${description}`), `  ${line}`]),
    ].join('\n')
  })
  return groups.join('\n\n')
}
