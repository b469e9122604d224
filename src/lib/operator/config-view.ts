/** Settings with their value and where each came from. */

import { SETTINGS, SETTING_KEYS, settingText } from '../core/config.js'
import type { LoadedSettings } from '../core/config.js'
import { maskPassword } from '../core/secrets.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'

export interface SettingRow {
  readonly key: string
  readonly value: string
  readonly origin: string
  readonly doc: string
}

/** Every setting; the password of a URL is masked, all other secrets are files that are only named here. */
export const settingRows = ({ settings, origins }: LoadedSettings): SettingRow[] =>
  SETTING_KEYS.map((key) => ({
    key,
    value: maskPassword(settingText(key, settings[key])),
    origin: origins[key],
    doc: SETTINGS[key].doc,
  }))

export const renderSettings = (rows: readonly SettingRow[], options: TableOptions): string =>
  renderTable(rows, COLUMNS, options)

const COLUMNS: readonly Column<SettingRow>[] = [
  { title: 'setting', value: ({ key }) => key, tone: () => 'strong' },
  { title: 'value', value: ({ value }) => value || '-', minWidth: 20 },
  {
    title: 'from',
    value: ({ origin }) => origin,
    tone: ({ origin }) => (origin === 'default' ? 'dim' : 'good'),
    minWidth: 7,
  },
  { title: 'what it is', value: ({ doc }) => doc, tone: () => 'dim', minWidth: 30, dropOrder: 1 },
]
