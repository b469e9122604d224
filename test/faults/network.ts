/**
 * Two network namespaces and a wire between them, which can be cut as a firewall does: packets vanish, nobody is told.
 * Needs root and iptables.
 */

import { execFileSync } from 'node:child_process'

const run = (...[file = '', ...args]: readonly string[]): void => {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why namespaces cannot be had here; undefined when they can. */
export function networkRefusal(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const name = `arbees-probe-${process.pid}`
  try {
    run('ip', 'netns', 'add', name)
  } catch (error) {
    return `no network namespaces: ${firstLine(error)}`
  }
  try {
    run('ip', 'netns', 'exec', name, 'iptables', '-w', '-A', 'INPUT', '-p', 'tcp', '-j', 'DROP')
    return undefined
  } catch (error) {
    return `no iptables: ${firstLine(error)}`
  } finally {
    run('ip', 'netns', 'del', name)
  }
}

export class Network {
  private constructor(
    /** Namespace of the publisher, and of its readers. */
    readonly publisherSide: string,
    readonly readerSide: string,
    readonly publisherAddress: string,
  ) {}

  /** `index` tells networks of one harness apart. */
  static create(index: number): Network {
    const id = `arbees-${process.pid}-${index}`
    const publisherSide = `${id}-p`
    const readerSide = `${id}-r`
    const subnet = `10.${77 + ((index >> 8) & 7)}.${index & 255}`
    const network = new Network(publisherSide, readerSide, `${subnet}.1`)
    try {
      run('ip', 'netns', 'add', publisherSide)
      run('ip', 'netns', 'add', readerSide)
      run(
        'ip',
        '-n',
        publisherSide,
        'link',
        'add',
        'wire',
        'type',
        'veth',
        'peer',
        'wire',
        'netns',
        readerSide,
      )
      for (const [side, host] of [
        [publisherSide, 1],
        [readerSide, 2],
      ] as const) {
        run('ip', '-n', side, 'addr', 'add', `${subnet}.${host}/24`, 'dev', 'wire')
        run('ip', '-n', side, 'link', 'set', 'wire', 'up')
        run('ip', '-n', side, 'link', 'set', 'lo', 'up')
      }
    } catch (error) {
      network.remove()
      throw error
    }
    return network
  }

  /** Nothing passes the wire, in either direction. */
  cut(): void {
    this.filter('-A')
  }

  heal(): void {
    this.filter('-D')
  }

  remove(): void {
    for (const side of [this.publisherSide, this.readerSide]) {
      try {
        run('ip', 'netns', 'del', side)
      } catch {
        // Never made.
      }
    }
  }

  private filter(change: '-A' | '-D'): void {
    for (const [chain, flag] of [
      ['INPUT', '-i'],
      ['OUTPUT', '-o'],
    ] as const) {
      const rule = ['-w', change, chain, flag, 'wire', '-j', 'DROP']
      run('ip', 'netns', 'exec', this.publisherSide, 'iptables', ...rule)
    }
  }
}

const firstLine = (error: unknown): string => {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
  return (text.trim().split('\n')[0] ?? '').slice(0, 120)
}
