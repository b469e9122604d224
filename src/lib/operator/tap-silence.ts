/** What to say when a tap shows nothing: who is up, and where there is traffic. */

import type { PublisherEndpoint } from '../bus/endpoints.js'
import type { Heartbeat } from '../messages/heartbeat.js'
import { SUSPECT_MS } from '../messages/heartbeat.js'
import { topicPrefixOf } from '../messages/sources.js'

/** Silence worth a word. */
const SILENCE_MS = 3_000

interface Heard {
  readonly heartbeat: Heartbeat
  readonly atMs: number
  /** last_seq of each channel at its publisher's first heartbeat. */
  readonly baseline: ReadonlyMap<string, number>
}

export interface SilenceOptions {
  readonly endpoints: readonly PublisherEndpoint[]
  readonly prefixes: readonly string[]
  readonly talk: (line: string) => void
  /** What else it may come from: a line each. */
  readonly hints?: () => readonly string[]
  readonly silenceMs?: number
}

export class SilenceWatch {
  private readonly timer: NodeJS.Timeout
  private readonly beats = new Map<string, Heard>()
  /** Publishers whose handshake failed since they were heard last. */
  private readonly refused = new Set<string>()

  constructor(private readonly options: SilenceOptions) {
    this.timer = setTimeout(() => this.tell(), options.silenceMs ?? SILENCE_MS)
  }

  /** Something arrived: the next silence is told anew. */
  heard(): void {
    this.timer.refresh()
  }

  /** A handshake with the publisher failed, and there were no keys for it. */
  refusedBy(publisher: string): void {
    this.refused.add(publisher)
  }

  beat(heartbeat: Heartbeat): void {
    this.refused.delete(heartbeat.publisher)
    const known = this.beats.get(heartbeat.publisher)
    const baseline =
      known?.baseline ?? new Map(heartbeat.channels.map(({ source, last_seq: lastSeq }) => [source, lastSeq]))
    this.beats.set(heartbeat.publisher, { heartbeat, atMs: performance.now(), baseline })
  }

  close(): void {
    clearTimeout(this.timer)
  }

  private tell(): void {
    const { endpoints, prefixes, talk, hints = () => [], silenceMs = SILENCE_MS } = this.options
    talk(`nothing on ${prefixes.join(' ')} for ${silenceMs / 1000} s`)
    const guarded = endpoints.filter(({ legacy }) => legacy !== true)
    const isUp = ({ publisher }: PublisherEndpoint) => {
      const heard = this.beats.get(publisher)
      return heard !== undefined && performance.now() - heard.atMs < SUSPECT_MS && !heard.heartbeat.closing
    }
    const name = ({ publisher, url }: PublisherEndpoint) => `${publisher} (${url})`
    const up = guarded.filter(isUp).map(name)
    const down = guarded.filter((endpoint) => !isUp(endpoint)).map(name)
    talk(`  heartbeats from: ${up.join(', ') || 'nobody'}`)
    if (down.length > 0) talk(`  no heartbeat from: ${down.join(', ')}`)
    const refused = guarded.filter(({ publisher }) => this.refused.has(publisher)).map(name)
    if (refused.length > 0) {
      talk(`  the handshake fails with: ${refused.join(', ')}`)
      talk('    its bus may have keys, and here are none: set keys_dir, or ARBEES_KEYS_DIR')
    }
    const legacy = endpoints.filter((endpoint) => endpoint.legacy === true)
    if (legacy.length > 0) {
      talk(
        `  no heartbeat is expected from: ${legacy.map(({ url }) => url).join(', ')} (first-design sender)`,
      )
    }
    if (up.length > 0) talk(`  traffic: ${this.traffic().join(', ') || 'none'}`)
    for (const hint of hints()) talk(`  ${hint}`)
  }

  /** Topics that moved since the first heartbeat of each publisher. */
  private traffic(): string[] {
    const moved: string[] = []
    for (const { heartbeat, baseline } of this.beats.values()) {
      for (const { source, last_seq: lastSeq } of heartbeat.channels) {
        const sent = lastSeq - (baseline.get(source) ?? 0)
        if (sent > 0) moved.push(`${topicPrefixOf(source)} (${sent} messages)`)
      }
    }
    return moved
  }
}
