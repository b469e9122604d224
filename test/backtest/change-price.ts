/** One price of one journaled book changed by a tick, in place and with a checksum that fits, as if it had been so. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { epochPages } from '../../src/lib/bus/journal/epoch-pages.js'
import { journalDir } from '../../src/lib/bus/journal/paths.js'
import { openJournalReader } from '../../src/lib/bus/journal/reader.js'
import { readRecord, writeRecord } from '../../src/lib/bus/journal/record.js'
import type { Position } from '../../src/lib/bus/position.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import type { Settings } from '../../src/lib/core/config.js'
import type { SignalsPayload } from '../../src/lib/messages/payloads.js'

type Where = Pick<Settings, 'data_dir' | 'env'>

/** The best offer that the last signal of a shard would take of one of its books, where that can be changed. */
export function changePrice(where: Where, shard: number): string {
  for (const { legs, inputs } of signalsOf(where, shard).reverse()) {
    for (const input of inputs.filter(({ source }) => source.endsWith('.orderbook'))) {
      const changed = patch(where, input, legs)
      if (changed !== undefined) return changed
    }
  }
  throw new Error('no signal was decided on a price that can be changed in place')
}

function signalsOf(where: Where, shard: number): SignalsPayload[] {
  const journal = openJournalReader(new FileStorage(journalDir(where, `shard-${shard}.signals`)))
  return journal.epochs.flatMap(({ epoch }) =>
    [...epochPages(journal, epoch)].flatMap(({ records }) =>
      records.map(({ data }) => (JSON.parse(data.toString()) as { payload: SignalsPayload }).payload),
    ),
  )
}

/** What was changed; undefined where the price would not have as many digits. */
function patch(
  where: Where,
  at: Position & { readonly source: string },
  legs: SignalsPayload['legs'],
): string | undefined {
  const dir = journalDir(where, at.source)
  const storage = new FileStorage(dir)
  for (const name of storage.list().filter((each) => each.endsWith('.seg'))) {
    const bytes = readFileSync(join(dir, name))
    for (let offset = 0; offset < bytes.length;) {
      const read = readRecord(bytes, offset)
      // Whatever begins a segment is a record; what cannot be read ends what is of use here.
      if (read.kind !== 'record') break
      const { record, end } = read
      if (record.epoch === at.epoch && record.seq === at.seq) {
        const text = record.data.toString()
        const leg = legs.find(({ venue, market_id: id }) => record.topic === `orderbook.${venue}.${id}`)
        const side = leg?.outcome === 'yes' ? 'asks' : 'bids'
        const price = new RegExp(`"${side}":\\[\\[(0\\.\\d\\d),`).exec(text)?.[1] ?? ''
        const next = (Number(price) + 0.01).toFixed(2)
        if (price === '' || next.endsWith('0') || next.length !== price.length) return undefined
        const topic = Buffer.from(record.topic)
        const changed = text.replace(`"${side}":[[${price},`, `"${side}":[[${next},`)
        writeRecord(bytes, offset, { ...record, topic, text: changed })
        writeFileSync(join(dir, name), bytes)
        return `${at.source}/${at.epoch}/${at.seq} ${side} ${price} to ${next}`
      }
      offset = end
    }
  }
  return undefined
}
