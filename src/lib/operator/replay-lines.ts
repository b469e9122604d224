/** A replay as lines: the envelopes themselves where a program reads them, a tap's lines where a person does. */

import { once } from 'node:events'
import { sanitize } from '../core/sanitize.js'
import type { PastItem } from '../history/past.js'
import type { ReplaySink } from './replay.js'
import type { TapFormat } from './tap-format.js'
import { tapItem } from './tap-item.js'

/**
 * Each envelope byte for byte and a line end; a gap as `{"gap": …}`, as tap tells it. For a terminal unsafe characters
 * are written as JSON escapes, which changes no value.
 */
export function envelopeLines(output: NodeJS.WritableStream, forTerminal: boolean): ReplaySink {
  const lineOf = (item: PastItem): Buffer => {
    if (item.kind === 'gap') return Buffer.from(JSON.stringify({ gap: item.gap }))
    const { data } = item
    return forTerminal ? Buffer.from(sanitize(oneLine(data), Infinity)) : onOneLine(data)
  }
  return {
    write: (items, signal) =>
      writeAll(output, Buffer.concat(items.flatMap((item) => [lineOf(item), NEWLINE])), signal),
    close: () => Promise.resolve(),
  }
}

/** As a tap prints them. */
export function formattedLines(output: NodeJS.WritableStream, format: TapFormat): ReplaySink {
  const lineOf = (item: PastItem): string =>
    item.kind === 'gap' ? format.gap(item.gap) : format.item(tapItem(item))
  return {
    write: (items, signal) =>
      writeAll(output, Buffer.from(items.map((item) => `${lineOf(item)}\n`).join('')), signal),
    close: () => Promise.resolve(),
  }
}

const NEWLINE = Buffer.from('\n')
/** Between tokens only: inside a string JSON has line ends escaped. Publishers of ours write none. */
const oneLine = (data: Buffer): string => data.toString('utf8').replace(/[\r\n\t]/g, ' ')
const onOneLine = (data: Buffer): Buffer =>
  data.includes(0x0a) || data.includes(0x0d) ? Buffer.from(oneLine(data)) : data

async function writeAll(output: NodeJS.WritableStream, bytes: Buffer, signal: AbortSignal): Promise<void> {
  if (bytes.length === 0 || output.write(bytes)) return
  // Who is told to stop has handed it on all the same.
  await once(output, 'drain', { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
