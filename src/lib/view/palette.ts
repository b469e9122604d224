/** Colors by meaning. The caller decides whether there are any: chalk's own detection ignores NO_COLOR. */

import { Chalk } from 'chalk'

/** What a piece of text says: colors follow from it. */
export type Tone = 'good' | 'warn' | 'bad' | 'dim' | 'strong' | 'plain'

export type Palette = Readonly<Record<Tone, (text: string) => string>>

export function createPalette(color: boolean): Palette {
  const chalk = new Chalk({ level: color ? 1 : 0 })
  return {
    good: (text) => chalk.green(text),
    warn: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    dim: (text) => chalk.dim(text),
    strong: (text) => chalk.bold(text),
    plain: (text) => text,
  }
}
