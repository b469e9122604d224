/** What the mirror recorded to be missing: in the order in which it was recorded, which is that of each source. */

import type { Gap } from '../bus/gap.js'
import { isBefore } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import { isSource } from '../messages/sources.js'
import type { PatientReader } from '../redis/patient-reader.js'
import { countOf, fieldsOf } from './stream-entry.js'
import type { RawEntry } from './stream-entry.js'
import { BEGINNING } from './stream-place.js'
import { idBehind, timeOfId } from './stream-id.js'

export interface GapRecord {
  readonly gap: Gap
  /** When it was recorded, Redis's clock: nothing of it was published later. */
  readonly recordedMs: number
}

export interface GapRecordsOptions {
  readonly reader: PatientReader
  /** Key of the stream of gaps. */
  readonly key: string
  /** Its last entry that counts; undefined when it has none. */
  readonly to: string | undefined
  readonly source: string
}

const REASON = /^[a-z_]{1,40}$/

/** Those from one id to another, both included, a page at a time. Throws what `PatientReader.ask` throws. */
export async function* readGapRecords(
  reader: PatientReader,
  key: string,
  from: string,
  to: string,
): AsyncGenerator<GapRecord[], void, undefined> {
  for (let next = from; ;) {
    const { page, isLast } = await reader.ask(async (redis, count) => {
      const entries = await redis.xrangeBuffer(key, next, to, 'COUNT', count)
      return { page: entries, isLast: entries.length < count }
    })
    yield page.flatMap((raw) => parseGap(raw) ?? [])
    const last = page.at(-1)
    if (last === undefined || isLast) return
    next = idBehind(last[0].toString('latin1'))
  }
}

/** Those of one source. */
export class GapRecords {
  private waiting: GapRecord[] = []
  private readonly pages: AsyncIterator<GapRecord[], void>
  private isAtEnd: boolean

  constructor(private readonly options: GapRecordsOptions) {
    const { reader, key, to = BEGINNING } = options
    this.isAtEnd = options.to === undefined
    this.pages = readGapRecords(reader, key, BEGINNING, to)
  }

  /** Whether `before` could give something. */
  mayHaveBefore(next: Position): boolean {
    const [first] = this.waiting
    return first === undefined ? !this.isAtEnd : isBefore(startOf(first), next)
  }

  /** Those that begin before `next`, or all that are left. Throws what `PatientReader.ask` throws. */
  async before(next?: Position): Promise<GapRecord[]> {
    const found: GapRecord[] = []
    for (;;) {
      const [first] = this.waiting
      if (first === undefined) {
        if (this.isAtEnd) return found
        await this.readPage()
      } else if (next === undefined || isBefore(startOf(first), next)) {
        found.push(first)
        this.waiting.shift()
      } else return found
    }
  }

  private async readPage(): Promise<void> {
    const page = await this.pages.next()
    this.isAtEnd = page.done === true
    this.waiting = (page.value ?? []).filter(({ gap }) => gap.source === this.options.source)
  }
}

const startOf = ({ gap: { epoch, from } }: GapRecord): Position => ({ epoch, seq: from })

/** Undefined for what no mirror of ours wrote. */
function parseGap(raw: RawEntry): GapRecord | undefined {
  const fields = fieldsOf(raw)
  const source = fields.get('channel')?.toString('utf8') ?? ''
  const reason = fields.get('reason')?.toString('utf8') ?? ''
  const [epoch, from] = [countOf(fields.get('epoch')), countOf(fields.get('from'))]
  const to = fields.get('to')?.length === 0 ? null : countOf(fields.get('to'))
  if (epoch === undefined || from === undefined || to === undefined) return undefined
  if (!isSource(source) || !REASON.test(reason) || (to !== null && to < from)) return undefined
  // The mirror's own word for why, checked to be one word.
  const gap: Gap = { source, epoch, from, to, reason: reason as Gap['reason'] }
  return { gap, recordedMs: timeOfId(raw[0].toString('latin1')) }
}
