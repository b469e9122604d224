/** The steps of `halt` and `resume` as a table. */

import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import type { HaltStep } from './halt.js'

const COLUMNS: readonly Column<HaltStep>[] = [
  { title: 'way', value: ({ step }) => step, tone: () => 'strong' },
  {
    title: 'result',
    value: ({ result, detail }) => (result === 'done' ? detail : `${result}: ${detail}`),
    tone: ({ result }) => (result === 'done' ? 'good' : result === 'failed' ? 'bad' : 'dim'),
    minWidth: 20,
  },
  { title: 'ms', value: ({ ms }) => ms.toFixed(1), align: 'right' },
  { title: 'where', value: ({ where }) => where, tone: () => 'dim', minWidth: 12, dropOrder: 1 },
]

/** Lines without a newline at the end. */
export const renderSteps = (steps: readonly HaltStep[], options: TableOptions): string =>
  renderTable(steps, COLUMNS, options)
