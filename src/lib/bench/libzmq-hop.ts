/** The floor of the hop benchmark: libzmq without Node, from `scripts/libzmq-hop.c`, compiled for the run. */

import { execFile, fork, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../core/clock.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import type { Arrivals, Latency } from './hop-window.js'
import type { Schedule } from './metronome.js'
import { LEAD_US, ticksOf } from './pacing.js'
import type { Pace, PublisherResult } from './pacing.js'

const SOURCE = fileURLToPath(new URL('../../../scripts/libzmq-hop.c', import.meta.url))
const METRONOME = fileURLToPath(new URL('./hop-metronome.js', import.meta.url))
/** Behind the last message: what is not told by then will not be. */
const END_MS = 5_000

/** What both programs say of one stretch. */
interface Told {
  readonly arrivals: Arrivals
  readonly publisher: PublisherResult
}

/** What `sub` prints. */
interface SubscriberReport {
  readonly received: number
  readonly cpu_us: number
  readonly span_us: number
  readonly from_schedule: Latency
  readonly from_publish: Latency
}

/** What `pub` prints. */
interface PublisherReport {
  readonly cpu_us: number
  readonly late_p50_us: number
  readonly late_p99_us: number
  readonly took_us: number
  readonly ended_us: number
}

export class LibzmqHop {
  private readonly running = new Set<ChildProcess>()

  private constructor(
    private readonly program: string,
    /** Of the library that it was compiled against, `4.3.4`. */
    readonly version: string,
  ) {}

  /** Compiles it into `dir`. Throws `NO_LIBZMQ_C`, saying why, where there is no cc or no libzmq to build with. */
  static async build(dir: string): Promise<LibzmqHop> {
    const program = join(dir, 'libzmq-hop')
    const run = promisify(execFile)
    try {
      await run('cc', ['-O2', '-o', program, SOURCE, '-lzmq'])
      const { stdout } = await run(program, ['version'])
      return new LibzmqHop(program, stdout.trim())
    } catch (error) {
      const why =
        messageOf(error)
          .split('\n')
          .find((line) => /error|ENOENT/.test(line)) ?? messageOf(error)
      throw new ArbeesError('NO_LIBZMQ_C', `the C program cannot be built: ${why}`, {
        hint: 'apt-get install gcc libc6-dev libzmq3-dev',
      })
    }
  }

  /** One stretch of messages of `bytes`, on the schedule that the other transports have. Throws `BENCH_FAILED`. */
  async measure(topic: string, bytes: number, pace: Pace): Promise<Told> {
    const { warmUp, measured } = pace
    const paced = pace.rate === null ? undefined : ticksOf(pace, pace.rate)
    const publisher = this.start(['pub', topic, bytes, warmUp, measured, paced?.burst ?? measured])
    const endpoint = (await publisher.line()).replace(/^endpoint /, '')
    let metronome: ChildProcess | undefined
    const subscriber = this.start(['sub', endpoint, topic, warmUp, measured])
    try {
      await subscriber.line()
      metronome = startTicks(publisher.child, paced)
      const published = JSON.parse(await publisher.line()) as PublisherReport
      const received = JSON.parse(await subscriber.line(END_MS)) as SubscriberReport
      return toldBy(published, received, pace)
    } finally {
      metronome?.removeAllListeners('exit').disconnect()
      publisher.child.kill('SIGKILL')
      subscriber.child.kill('SIGKILL')
    }
  }

  close(): void {
    for (const child of this.running) child.kill('SIGKILL')
  }

  private start(args: readonly (string | number)[]): Started {
    const child = spawn(this.program, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.running.add(child)
    child.once('exit', () => this.running.delete(child))
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return {
      child,
      line: async (timeoutMs = Infinity) => {
        const timer = timeoutMs === Infinity ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs)
        const next = await lines.next()
        clearTimeout(timer)
        if (next.done !== true) return next.value
        throw new ArbeesError('BENCH_FAILED', `libzmq-hop ${String(args[0])} ended by itself`)
      },
    }
  }
}

interface Started {
  readonly child: ChildProcess
  /** Its next line; it is ended when none comes in time. */
  readonly line: (timeoutMs?: number) => Promise<string>
}

/** Tells the schedule and has a metronome tick into the publisher's stdin; without one, a single tick. */
function startTicks(
  publisher: ChildProcess,
  schedule: Omit<Schedule, 'startUs'> | undefined,
): ChildProcess | undefined {
  if (schedule === undefined) {
    publisher.stdin?.write('0 0\n.')
    return undefined
  }
  const startUs = systemClock.monoUs() + LEAD_US
  publisher.stdin?.write(`${startUs} ${schedule.tickUs}\n`)
  const metronome = fork(METRONOME, { stdio: ['ignore', publisher.stdin, 'inherit', 'ipc'] })
  const { tickUs, ticks } = schedule
  // It ends before its time only when it fails: then the ticks end, and with them whoever waits for them.
  metronome.once('exit', () => publisher.kill('SIGTERM'))
  metronome.send({ startUs, tickUs, ticks } satisfies Schedule)
  return metronome
}

function toldBy(published: PublisherReport, received: SubscriberReport, pace: Pace): Told {
  const { rate, measured } = pace
  const plannedUs = rate === null ? 0 : (measured * 1e6) / rate
  const tookUs = Math.max(1, published.took_us, plannedUs)
  return {
    arrivals: {
      received: received.received,
      fromSchedule: received.from_schedule,
      fromPublish: received.from_publish,
      cpuUs: received.cpu_us,
      rate: received.span_us > 0 ? ((received.received - 1) * 1e6) / received.span_us : 0,
    },
    publisher: {
      cpuUs: published.cpu_us,
      lateP50Us: rate === null ? null : published.late_p50_us,
      lateP99Us: rate === null ? null : published.late_p99_us,
      achievedRate: (measured * 1e6) / tookUs,
      endedUs: published.ended_us,
      rssMib: 0,
    },
  }
}
