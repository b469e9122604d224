/** oclif's help with its flags in line: it trims a list, so that a first flag without a letter would stand too far left. */

import { CommandHelp, Help } from '@oclif/core'
import type { Command } from '@oclif/core'

class AlignedCommandHelp extends CommandHelp {
  /** What depends on a flag of a choice would stand as `[--follow ]`. */
  protected override usage(): string {
    return super.usage().replaceAll(' ]', ']')
  }

  /** Those with a letter first, otherwise in the order of their definition. */
  protected override flags(flags: Command.Flag.Any[]): [string, string | undefined][] | undefined {
    return super.flags([
      ...flags.filter(({ char }) => char !== undefined),
      ...flags.filter(({ char }) => char === undefined),
    ])
  }
}

export default class AlignedHelp extends Help {
  protected override CommandHelpClass = AlignedCommandHelp
}
