/** Single messages out of the publishers' journals, asked for over their recovery sockets. */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { JournalRecord } from '../bus/journal/record.js'
import { NOWHERE } from '../bus/position.js'
import type { Position } from '../bus/position.js'
import type { RangeReply } from '../bus/range.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import type { Clock } from '../core/clock.js'

export interface JournalLookOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  readonly clock: Clock
  readonly keys: BusKeys | undefined
}

const TIMEOUT_MS = 500
/** Epochs without a message that are stepped over. */
const MAX_STEPS = 4

export class JournalLook {
  private readonly clients = new Map<string, RecoveryClient>()

  constructor(private readonly options: JournalLookOptions) {}

  /** That message; undefined when it cannot be had. */
  async record(source: string, { epoch, seq }: Position): Promise<JournalRecord | undefined> {
    const reply = await this.range(source, { epoch, seq })
    return reply?.records[0]?.value ?? undefined
  }

  /** The first message behind a position, in the next epoch if need be; undefined when it cannot be had. */
  async next(source: string, position: Position = NOWHERE): Promise<JournalRecord | undefined> {
    let at: Position = { epoch: position.epoch, seq: position.seq + 1 }
    for (let step = 0; step < MAX_STEPS; step++) {
      const reply = await this.range(source, at)
      const record = reply?.records[0]?.value
      if (record !== undefined && record !== null) return record
      if (reply?.next === undefined || reply.next === null) return undefined
      at = { epoch: reply.next, seq: 1 }
    }
    return undefined
  }

  close(): void {
    for (const client of this.clients.values()) client.close()
  }

  private async range(
    source: string,
    { epoch, seq }: Position,
  ): Promise<RangeReply<JournalRecord> | undefined> {
    return await this.clientOf(source)?.range(source, { epoch, from: seq, to: seq })
  }

  private clientOf(source: string): RecoveryClient | undefined {
    const { endpoints, clock, keys } = this.options
    const endpoint = endpoints.find(({ sources }) => sources.includes(source))
    if (endpoint === undefined) return undefined
    const known = this.clients.get(endpoint.publisher)
    if (known !== undefined) return known
    try {
      const client = new RecoveryClient({ endpoint, clock, keys, timeoutMs: TIMEOUT_MS })
      this.clients.set(endpoint.publisher, client)
      return client
    } catch {
      // No key for it: who listens to the bus has said so.
      return undefined
    }
  }
}
