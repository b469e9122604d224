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
    ...(report.keys.length === 0 ? [] : [renderTable(report.keys, COLUMNS, options), '']),
    signalKey === null ? 'signals are not sealed: no signals.hmac' : `signals are sealed with ${signalKey}`,
    palette.dim(sanitize(`in ${report.dir}`)),
  ].join('\n')
}

/** What makes the folder count, and what it still needs. */
export function nextSteps(report: KeysReport): string[] {
  const { dir, in_force: inForce } = report
  const use = inForce
    ? ['running roles read the list again at SIGHUP']
    : ['not in use yet; every role and command needs the setting:', `    keys_dir: ${dir}`]
  const sealer = report.keys.find(({ name }) => name === 'exec' || name.startsWith('shard-'))
  if (report.signal_key_fingerprint !== null || sealer === undefined) return use
  return [
    ...use,
    `${sealer.name} needs the signals.hmac of this deployment: copy it, mode 0600, from the host of exec or of another shard to ${dir}`,
    '    this is the first of them? arbees keys generate signals.hmac',
  ]
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
