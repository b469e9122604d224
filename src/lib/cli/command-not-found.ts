/** A name that is no command: said as every error is, with the command that was probably meant. */

import { Errors } from '@oclif/core'
import type { Hook } from '@oclif/core'
import { nearest } from '../core/nearest.js'
import { writeError } from './write-error.js'

/** As a shell answers. */
const NO_SUCH_COMMAND = 127

const commandNotFound: Hook.CommandNotFound = ({ id, argv = [], config }) => {
  const words = (name: string): string => name.replaceAll(':', ' ')
  const meant = nearest(id, config.commandIDs)
  const hint =
    meant === undefined ? `see ${config.bin} --help` : `did you mean: ${config.bin} ${words(meant)}`
  const message = `no command is named '${words(id)}'`
  writeError(
    { code: 'NO_SUCH_COMMAND', message, exit: NO_SUCH_COMMAND, hint },
    { isJson: argv.includes('--json') },
  )
  throw new Errors.ExitError(NO_SUCH_COMMAND)
}

export default commandNotFound
