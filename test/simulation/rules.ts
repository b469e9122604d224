/**
 * The rules of the bus, each switched off in a part of its own: a simulator that finds nothing then would find nothing
 * ever.
 */

import { crc32 } from 'node:zlib'
import { ChannelReader } from '../../src/lib/bus/channel-reader.js'
import type { ReaderItem, Reception } from '../../src/lib/bus/channel-reader.js'
import { RECORD_OVERHEAD_BYTES, readRecord } from '../../src/lib/bus/journal/record.js'
import { SnapshotReader } from '../../src/lib/bus/snapshot-reader.js'
import { laterOf } from '../../src/lib/bus/position.js'
import type { Position } from '../../src/lib/bus/position.js'
import type { Item } from '../../src/lib/mirror/item.js'
import type { WriteOutcome } from '../../src/lib/mirror/mirror-core.js'
import { ModelStore } from './model-store.js'
import { OURS } from './parts.js'
import type { Parts } from './parts.js'
import { firstCounterexample } from './run.js'
import type { Counterexample } from './run.js'
import { SimDisk } from './sim-disk.js'
import type { Envelope } from './truth.js'

/** Gives out at once what the reader refuses as `refused`. */
class CredulousReader extends ChannelReader<Envelope> {
  private readonly believed: ReaderItem<Envelope>[] = []

  constructor(
    private readonly refused: Reception,
    ...options: ConstructorParameters<typeof ChannelReader>
  ) {
    super(...options)
  }

  override receive(
    message: Position & { readonly value: Envelope },
    bytes: number,
    nowMs: number,
  ): Reception {
    const reception = super.receive(message, bytes, nowMs)
    if (reception === this.refused) this.believed.push({ kind: 'record', ...message })
    return reception
  }

  override take(max: number, nowMs: number): ReaderItem<Envelope>[] {
    return [...this.believed.splice(0), ...super.take(max, nowMs)]
  }
}

/** Takes a step of any epoch for one of its own. */
class EpochBlindStore extends ModelStore {
  protected override step(item: Item): ReturnType<ModelStore['step']> {
    return super.step(item.kind === 'epoch' ? item : { ...item, epoch: this.checkpoint.epoch })
  }
}

/** Writes whatever it is given, wherever it stands. */
class GatelessStore extends ModelStore {
  protected override isBehind(): boolean {
    return false
  }

  protected override hasPassed(): boolean {
    return false
  }
}

/** Moves the checkpoint to the end of the call before the records are there. */
class CheckpointFirstStore extends ModelStore {
  override write(base: Position, items: readonly Item[], stepsLeft?: number): WriteOutcome {
    const outcome = super.write(base, items, stepsLeft)
    if (outcome.status !== 'ERROR') return outcome
    let end = this.checkpoint
    for (const item of items) {
      if (item.kind === 'epoch') end = { epoch: item.to, seq: 0, closed: false }
      else end = { epoch: item.epoch, seq: item.kind === 'gap' ? item.to : item.seq, closed: false }
    }
    this.checkpoint = end
    return { ...outcome, checkpoint: end }
  }
}

/** Believes that a snapshot is as of now, not as of when it was made. */
class SeamlessReader extends SnapshotReader<Envelope> {
  protected override seamOf(stated: Position): Position {
    const { sourceHead } = this
    return sourceHead.epoch === stated.epoch ? laterOf<Position>(stated, sourceHead) : stated
  }
}

/** Takes what was written in part for the whole: the rest of the last record is zeros, and its crc fits. */
class BelievingDisk extends SimDisk {
  override read(name: string): Buffer {
    const bytes = super.read(name)
    if (!name.endsWith('.seg')) return bytes
    let torn = 0
    for (let read = readRecord(bytes, torn); read.kind === 'record'; read = readRecord(bytes, torn))
      torn = read.end
    if (bytes.length - torn < RECORD_OVERHEAD_BYTES) return bytes
    const missing = torn + 8 + bytes.readUInt32LE(torn) - bytes.length
    if (missing <= 0 || missing > 1_000) return bytes
    const whole = Buffer.concat([bytes, Buffer.alloc(missing)])
    whole.writeUInt32LE(crc32(whole.subarray(torn + 8)), torn + 4)
    return whole
  }
}

const without = (parts: Partial<Parts>): Parts => ({ ...OURS, ...parts })

/** By the rule that is missing. */
export const RULES: Readonly<Record<string, Parts>> = {
  'dedupe, at the reader': without({ reader: (options) => new CredulousReader('duplicate', options) }),
  'epoch check, at the reader': without({ reader: (options) => new CredulousReader('old_epoch', options) }),
  'epoch check, at the store': without({ store: () => new EpochBlindStore() }),
  'checkpoint gate': without({ store: () => new GatelessStore() }),
  'checkpoint last': without({ store: () => new CheckpointFirstStore() }),
  'torn-tail cut': without({ disk: (prng) => new BelievingDisk(prng) }),
  'snapshot seam': without({ snapshotReader: (options) => new SeamlessReader(options) }),
}

export interface RuleVerdict {
  readonly rule: string
  /** Runs until the first counterexample; null when there was none. */
  readonly failingRun: number | null
  readonly counterexample: Counterexample | undefined
}

/** Switches one rule off, for at most `runs` runs. */
export async function withoutRule(rule: string, from: number, runs: number): Promise<RuleVerdict> {
  const counterexample = await firstCounterexample(from, runs, RULES[rule])
  const failingRun = counterexample === undefined ? null : counterexample.seed - from + 1
  return { rule, failingRun, counterexample }
}
