/** Where journals lie. */

import { join } from 'node:path'
import type { Settings } from '../../core/config.js'

/** The folder of an env's journals, one folder in it per source. */
export const journalRoot = ({ data_dir, env }: Pick<Settings, 'data_dir' | 'env'>): string =>
  join(data_dir, 'journal', env)

export const journalDir = (settings: Pick<Settings, 'data_dir' | 'env'>, source: string): string =>
  join(journalRoot(settings), source)

/** The folder of what a shard took in, by the name of its source: never published, so apart from what was. */
export const inputsDir = ({ data_dir, env }: Pick<Settings, 'data_dir' | 'env'>, source: string): string =>
  join(data_dir, 'inputs', env, source)
