/**
 * Makes a shard's signals again: its inputs in the order that it took them in, with the clock that it read, through the
 * same code; then compares them with what it published, byte for byte. Reads journals and changes nothing.
 */

import { setImmediate } from 'node:timers/promises'
import { epochPages } from '../bus/journal/epoch-pages.js'
import { inputsDir, journalDir } from '../bus/journal/paths.js'
import { openJournalReader } from '../bus/journal/reader.js'
import type { JournalReader } from '../bus/journal/reader.js'
import { FileStorage } from '../bus/journal/storage.js'
import type { Settings } from '../core/config.js'
import { systemClock } from '../core/clock.js'
import { ArbeesError, EXIT } from '../core/errors.js'
import { signalsPayload } from '../messages/convert.js'
import { decode } from '../messages/codec.js'
import { inputsSource, signalsSource } from '../messages/sources.js'
import type { StrategySignal } from '../model/signal.js'
import type { Env } from '../model/venue.js'
import { JournaledMessages } from './journaled-messages.js'
import { compareSignals, isSameSignals } from './signal-comparison.js'
import type { SignalComparison, SignalText } from './signal-comparison.js'
import { ShardDecider } from './shard-decider.js'
import type { DeciderWatch, LateDecision, ShardInputs } from './shard-decider.js'
import { parseTurn } from './shard-turn.js'
import type { ShardHead, TurnInput } from './shard-turn.js'

/** What was decided so shortly before the end of the inputs may be missing among what was published. */
const TAIL_MS = 500

/** Looks on while a shard decides again. */
export interface RerunWatch extends DeciderWatch {
  /** Before the first input: all of them go through what this returns, into `decider`. */
  around(decider: ShardDecider, strategy: ShardHead['strategy']): ShardInputs
}

export interface RerunOptions {
  /** The disk that holds the journals of the shard and of everybody that it heard. */
  readonly settings: Pick<Settings, 'data_dir' | 'env'>
  readonly shard: number
  /** Of the inputs; the newest when not said. */
  readonly epoch?: number | undefined
  /** Now and then: how many turns were rerun, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly watch?: RerunWatch | undefined
  /** Before each turn, which was written at `timestampMs` by the shard's wall clock: when it may be decided again. */
  readonly pace?: ((timestampMs: number) => Promise<unknown> | undefined) | undefined
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined
}

export interface RerunReport extends SignalComparison {
  readonly shard: number
  /** Of the inputs. */
  readonly epoch: number
  readonly turns: number
  readonly inputs: number
  /** Turns at the beginning that are not on disk any more: this is not the whole life of the shard. */
  readonly turns_before: number
  /** Turns that could not be written, or cannot be read. */
  readonly turns_missing: number
  /** Messages that no journal here has, by source. */
  readonly messages_missing: Readonly<Record<string, number>>
  /**
   * Inputs on which the code asked for the time otherwise than the shard's did: it is another version. Null where
   * something is missing, which changes that too.
   */
  readonly clock_differs: number | null
  /** The journal of its signals knows that life: it may hold none of them. */
  readonly signals_on_disk: boolean
  /** Nothing is missing, and the same signals came out. */
  readonly ok: boolean
}

/** A rerun with the signals themselves. */
export interface Rerun {
  readonly report: RerunReport
  readonly decided: readonly SignalText[]
  readonly published: readonly SignalText[]
  /** Of the first and of the last turn, the shard's wall clock. */
  readonly firstMs: number | undefined
  readonly lastMs: number | undefined
  /** It was ended early: the report is of what came before. */
  readonly isPartial: boolean
}

/** As `decideAgain`. */
export const rerunShard = async (options: RerunOptions): Promise<RerunReport> =>
  (await decideAgain(options)).report

/** Throws `NO_INPUTS` (exit USAGE), and what reading a file throws. */
export async function decideAgain(options: RerunOptions): Promise<Rerun> {
  const { settings, shard, onProgress, pace, signal } = options
  // First: of whatever was published by now the inputs are on disk.
  const openedMs = systemClock.nowMs()
  const signals = openFolder(journalDir(settings, signalsSource(shard)))
  const journal = openFolder(inputsDir(settings, inputsSource(shard)))
  const { epoch, last } = chooseEpoch(journal, options)
  const rerun = new Decisions(options)
  let first: number | undefined
  let missing = 0
  let firstMs: number | undefined
  let lastMs: number | undefined
  pages: for (const { records, hole, next } of epochPages(journal, epoch)) {
    for (const { seq, data, timestampMs } of records) {
      await pace?.(timestampMs)
      if (signal?.aborted === true) break pages
      firstMs ??= timestampMs
      lastMs = timestampMs
      const isTaken = rerun.turn(data, timestampMs)
      if (isTaken) first ??= seq
      else if (first !== undefined) missing++
    }
    if (hole !== null && first !== undefined) missing += next - hole.from
    onProgress?.(next - 1, last)
    // Reading is synchronous: signals and timers have their turn.
    await setImmediate()
  }
  const { head, decided, turns, inputs, clockDiffers } = rerun
  const life = head?.signals.epoch
  const published = life === undefined ? [] : publishedSignals(signals, life, settings.env)
  const isOnDisk = signals.epochs.some((each) => each.epoch === life)
  const dueMs = Math.min(openedMs, lastMs ?? 0) - TAIL_MS
  const due = rerun.decidedMs.filter((ms) => ms < dueMs).length
  const before = first === undefined ? last : first - 1
  const comparison = compareSignals(published, decided, { isWhole: before === 0, due })
  const isWhole = before === 0 && missing === 0 && Object.keys(rerun.messages.missing).length === 0
  const report: RerunReport = {
    shard,
    epoch,
    turns,
    inputs,
    turns_before: before,
    turns_missing: missing,
    messages_missing: rerun.messages.missing,
    clock_differs: isWhole ? clockDiffers : null,
    ...comparison,
    signals_on_disk: isOnDisk,
    ok: isWhole && isOnDisk && clockDiffers === 0 && isSameSignals(comparison),
  }
  return { report, decided, published, firstMs, lastMs, isPartial: signal?.aborted === true }
}

const openFolder = (path: string): JournalReader => openJournalReader(new FileStorage(path))

function chooseEpoch(
  { epochs, segments }: JournalReader,
  { shard, epoch, settings }: RerunOptions,
): { readonly epoch: number; readonly last: number } {
  const onDisk = epochs.filter((each) => segments.some((segment) => segment.epoch === each.epoch))
  const chosen = epoch === undefined ? onDisk.at(-1) : onDisk.find((each) => each.epoch === epoch)
  if (chosen !== undefined) return chosen
  const dir = inputsDir(settings, inputsSource(shard))
  const all = onDisk.map((each) => each.epoch).join(', ')
  throw new ArbeesError(
    'NO_INPUTS',
    epoch === undefined || all === ''
      ? `no inputs of shard ${shard} are in ${dir}`
      : `the inputs of shard ${shard} in ${dir} have no epoch ${epoch}`,
    {
      exit: EXIT.USAGE,
      hint: all === '' ? 'name the data_dir and env that the shard ran with' : `its epochs there: ${all}`,
    },
  )
}

/** The clock of a rerun: says again what the shard was told, and then, when asked more often, the time that it was. */
class ToldClock {
  private readings: readonly number[] = []
  private next = 0
  private wallMs = 0
  private monotonicUs = 0

  begin({ clock, ...input }: TurnInput): void {
    this.readings = clock
    this.next = 0
    if ('recvUs' in input) this.monotonicUs = input.recvUs
  }

  /** The code read it as often as the shard did. */
  get isUsedUp(): boolean {
    return this.next === this.readings.length
  }

  nowMs(): number {
    return (this.wallMs = this.read() ?? this.wallMs)
  }

  monoUs(): number {
    return (this.monotonicUs = this.read() ?? this.monotonicUs)
  }

  /** Counted beyond the end too. */
  private read(): number | undefined {
    return this.readings[this.next++]
  }
}

class Decisions {
  readonly messages: JournaledMessages
  readonly decided: SignalText[] = []
  /** When the turn of each was written, the shard's wall clock. */
  readonly decidedMs: number[] = []
  head: ShardHead | undefined
  turns = 0
  inputs = 0
  clockDiffers = 0
  private readonly clock = new ToldClock()
  private shard: ShardInputs | undefined

  constructor(private readonly options: Pick<RerunOptions, 'settings' | 'watch'>) {
    const { settings } = options
    this.messages = new JournaledMessages((source) => journalDir(settings, source), settings.env)
  }

  /** False for a turn that cannot be read, and for those before the first head. */
  turn(data: Buffer, timestampMs: number): boolean {
    const turn = parseTurn(data)
    this.shard ??= turn?.head === undefined ? undefined : this.begin(turn.head)
    if (turn === undefined || this.shard === undefined) return false
    this.turns++
    for (const input of turn.inputs) {
      this.inputs++
      this.clock.begin(input)
      for (const signal of this.take(this.shard, input)) {
        this.decided.push({ id: signal.id, text: JSON.stringify(signalsPayload(signal)) })
        this.decidedMs.push(timestampMs)
      }
      if (!this.clock.isUsedUp) this.clockDiffers++
    }
    return true
  }

  private begin(head: ShardHead): ShardInputs {
    const { shard: index, shards, host, strategy, live } = head
    const { watch } = this.options
    this.head = head
    const decider = new ShardDecider({
      ...{ index, shards, host, strategy, clock: this.clock },
      onNoSignal: () => undefined,
      onWorthless: () => undefined,
      onRefused: () => undefined,
      watch,
    })
    for (const source of live) decider.state(source, true)
    return watch?.around(decider, strategy) ?? decider
  }

  private take(shard: ShardInputs, input: TurnInput): readonly StrategySignal[] {
    switch (input.kind) {
      case 'message': {
        const message = this.messages.find(input)
        if (message !== undefined) return shard.message(message, input.recvUs) ?? []
        // Nobody here knows what it said: nothing of its channel is believed until it speaks again.
        shard.gap(input.source)
        return []
      }
      case 'heartbeat':
        return signalsOf(shard.heartbeat(input.beat, input.recvUs))
      case 'gap':
        shard.gap(input.source)
        return []
      case 'state':
        return signalsOf(shard.state(input.source, input.isLive))
    }
  }
}

const signalsOf = (decisions: readonly LateDecision[] = []): readonly StrategySignal[] =>
  decisions.flatMap(({ signals }) => signals)

/** What the shard published in that life, without its seals. */
function publishedSignals(journal: JournalReader, epoch: number, env: Env): SignalText[] {
  const signals: SignalText[] = []
  for (const { records } of epochPages(journal, epoch)) {
    for (const { topic, data } of records) {
      const decoded = decode(topic, data, env)
      if (decoded.kind !== 'message' || decoded.message.family !== 'signals') continue
      const { hmac: _, ...payload } = decoded.message.payload
      signals.push({ id: payload.id, text: JSON.stringify(payload) })
    }
  }
  return signals
}
