/** Where journals lie. */

import { join } from 'node:path'
import type { Settings } from '../../core/config.js'

/** The folder of an env's journals, one folder in it per source. */
export const journalRoot = ({ data_dir, env }: Pick<Settings, 'data_dir' | 'env'>): string =>
  join(data_dir, 'journal', env)

export const journalDir = (settings: Pick<Settings, 'data_dir' | 'env'>, source: string): string =>
  join(journalRoot(settings), source)
