/**
 * Loss, duplicates and restarts, judged per channel without I/O.
 *
 * A reader that takes a whole channel sees every seq: the next must be last + 1. A reader behind a narrower prefix
 * skips seqs by design and judges each topic by `prev` instead. Heartbeats state how far a channel got, so a lost
 * tail is seen too: on one connection they arrive after everything sent before them.
 */

import type { Gap } from './gap.js'

/** What a message means for the channel it came on. */
export type Observation =
  /** In order, or the first one seen. */
  | { readonly kind: 'next' }
  /** In order after a hole. */
  | { readonly kind: 'gap'; readonly gap: Gap }
  /** Already seen: not to be applied. */
  | { readonly kind: 'duplicate' }
  /** From an earlier life of the source: not to be applied; two live lives of one source are an alarm. */
  | { readonly kind: 'old_epoch'; readonly epoch: number }

interface ChannelState {
  epoch: number
  /** Last seq seen or known to need no wait. */
  last: number
  /** The source said that its epoch ends at `last`. */
  closed: boolean
  readonly lastByTopic: Map<string, number>
}

export class SequenceTracker {
  private readonly channels = new Map<string, ChannelState>()

  /** `wholeChannel` says whether this reader's prefixes cover everything that a source publishes. */
  constructor(private readonly wholeChannel: (source: string) => boolean) {}

  /** Judges one message; a gap found by the change of epoch is returned through `onGap` before the verdict. */
  observe(
    message: {
      readonly source: string
      readonly epoch: number
      readonly seq: number
      readonly prev?: number
    },
    topic: string,
    onGap: (gap: Gap) => void,
  ): Observation {
    const { source, epoch, seq } = message
    const state = this.channels.get(source)
    if (state === undefined) {
      this.channels.set(source, newState(epoch, seq, topic))
      return { kind: 'next' }
    }
    if (epoch < state.epoch) return { kind: 'old_epoch', epoch }
    if (epoch > state.epoch) this.enterEpoch(source, state, epoch, onGap)
    return this.wholeChannel(source)
      ? judgeChannel(source, state, seq)
      : judgeTopic(source, state, message, topic)
  }

  /** A heartbeat's word on a channel: returns the tail that never arrived, if any. */
  beat(
    channel: { readonly source: string; readonly epoch: number; readonly last_seq: number },
    closing: boolean,
    onGap: (gap: Gap) => void,
  ): void {
    const { source, epoch, last_seq: lastSeq } = channel
    const state = this.channels.get(source)
    if (state === undefined) {
      this.channels.set(source, { ...newState(epoch, lastSeq), closed: closing })
      return
    }
    if (epoch < state.epoch) return
    if (epoch > state.epoch) this.enterEpoch(source, state, epoch, onGap)
    if (lastSeq > state.last) {
      if (this.wholeChannel(source)) {
        onGap({ source, epoch, from: state.last + 1, to: lastSeq, reason: 'tail_missed' })
      }
      state.last = lastSeq
    }
    state.closed = closing
  }

  /** Where a channel stands: the last (epoch, seq) seen, or undefined. */
  position(source: string): { readonly epoch: number; readonly seq: number } | undefined {
    const state = this.channels.get(source)
    return state === undefined ? undefined : { epoch: state.epoch, seq: state.last }
  }

  private enterEpoch(source: string, state: ChannelState, epoch: number, onGap: (gap: Gap) => void): void {
    if (!state.closed && this.wholeChannel(source)) {
      onGap({ source, epoch: state.epoch, from: state.last + 1, to: null, reason: 'epoch_end_unknown' })
    }
    state.epoch = epoch
    state.last = 0
    state.closed = false
    state.lastByTopic.clear()
  }
}

function newState(epoch: number, last: number, topic?: string): ChannelState {
  return { epoch, last, closed: false, lastByTopic: new Map(topic === undefined ? [] : [[topic, last]]) }
}

function judgeChannel(source: string, state: ChannelState, seq: number): Observation {
  if (seq <= state.last) return { kind: 'duplicate' }
  const from = state.last + 1
  state.last = seq
  return seq === from
    ? { kind: 'next' }
    : { kind: 'gap', gap: { source, epoch: state.epoch, from, to: seq - 1, reason: 'missed' } }
}

function judgeTopic(
  source: string,
  state: ChannelState,
  { seq, prev }: { readonly seq: number; readonly prev?: number },
  topic: string,
): Observation {
  const last = state.lastByTopic.get(topic)
  if (last !== undefined && seq <= last) return { kind: 'duplicate' }
  state.lastByTopic.set(topic, seq)
  state.last = Math.max(state.last, seq)
  if (prev === undefined || last === undefined || prev <= last) return { kind: 'next' }
  return {
    kind: 'gap',
    gap: { source, epoch: state.epoch, from: last + 1, to: prev, reason: 'missed', topic },
  }
}
