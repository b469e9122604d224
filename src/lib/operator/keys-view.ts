/** Keys for people: a line a key, then what to do next. */

import { sanitize } from '../core/sanitize.js'
import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import type { KeyRow, KeysReport } from './keys.js'

/** Lines without a newline at the end. */
export function renderKeys(report: KeysReport, options: TableOptions): string {
  const palette = createPalette(options.color)
  const { signal_key_fingerprint: signalKey } = report
  return [
    renderTable(report.keys, COLUMNS, options),
    '',
    signalKey === null ? 'signals are not sealed: no signals.hmac' : `signals are sealed with ${signalKey}`,
    palette.dim(sanitize(`in ${report.dir}`)),
  ].join('\n')
}

/** What makes the folder count. */
export function nextSteps({ dir, in_force: inForce }: KeysReport): string[] {
  return inForce
    ? ['running roles read the list again at SIGHUP']
    : ['not in use yet; every role and command needs the setting:', `    keys_dir: ${dir}`]
}

const COLUMNS: readonly Column<KeyRow>[] = [
  { title: 'name', value: ({ name }) => name, tone: () => 'strong' },
  { title: 'public key', value: ({ public_key: key }) => key, minWidth: 40 },
  { title: 'fingerprint', value: ({ fingerprint }) => fingerprint, minWidth: 19, dropOrder: 1 },
  {
    title: 'allowed',
    value: ({ allowed }) => (allowed ? 'yes' : 'no'),
    tone: ({ allowed }) => (allowed ? 'good' : 'bad'),
  },
  {
    title: 'secret',
    value: ({ secret_here: here }) => (here ? 'here' : 'elsewhere'),
    tone: () => 'dim',
    dropOrder: 2,
  },
]
