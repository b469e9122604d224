/**
 * `up`: every role of a deployment in one terminal, supervised. With its own simulator and a private Redis it keeps
 * all state in a folder of the run, so that a second start is as clean as the first.
 */

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publisherNames, shardPublisher } from '../bus/endpoints.js'
import type { KeyRing } from '../bus/key-ring.js'
import { Subscriber } from '../bus/subscriber.js'
import { systemClock } from '../core/clock.js'
import { SETTING_KEYS, environmentName, settingText, upFilePath } from '../core/config.js'
import type { LoadedSettings, SettingKey, Settings, UpFile } from '../core/config.js'
import { ArbeesError, EXIT, codeOf, messageOf } from '../core/errors.js'
import type { ExitCode } from '../core/errors.js'
import { bootId, randomId } from '../core/ids.js'
import { Lifecycle } from '../core/lifecycle.js'
import { checkRedis } from '../redis/connection.js'
import { startPrivateRedis } from '../redis/private-server.js'
import { parseRedisUrl } from '../redis/url.js'
import { metricsUrl } from '../telemetry/metrics-server.js'
import { simPorts } from '../venues/urls.js'
import { OPERATOR, loadKeyRing } from './bus-keys.js'
import type { RoleSpec, SupervisedEvents } from './supervised-role.js'
import { SupervisedRole } from './supervised-role.js'
import { assertPortsFree, metricsPortOf, metricsPorts, tcpPort } from './up-ports.js'
import type { WantedPort } from './up-ports.js'
import { summarize } from './up-summary.js'
import type { UpSummary } from './up-summary.js'
import { allEndpoints, endpointUrl, recoveryUrl } from './wiring.js'

export interface UpOptions {
  readonly seed: number
  readonly speed: number
  readonly tape?: string
  readonly faults?: string
  /** Keep the run's folder after a clean stop. */
  readonly keep: boolean
}

/** Where `up` shows what happens; all text is for stderr or a screen. */
export interface UpDisplay {
  say(line: string): void
  log(role: string, line: string): void
}

/** Names the process that a run's folder belongs to; a kept one has none. */
const OWNER_FILE = 'up.pid'
/** A simulated run is looked at and thrown away: so much of each channel. */
const SIM_JOURNAL_BYTES = 64 * 2 ** 20
/** A role that takes longer than this to be ready is told of; it goes on trying. */
const READY_DEADLINE_MS = 30_000
const BINARY = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))

export class Up {
  readonly roles: SupervisedRole[] = []
  redis: UpSummary['redis'] = null
  private readonly lifecycle = new Lifecycle()
  private readonly lastPids = new Map<string, number>()
  private readonly runDir: string
  private readonly simulated: boolean
  private keys: KeyRing | undefined
  private stopping = false

  constructor(
    private readonly loaded: LoadedSettings,
    private readonly options: UpOptions,
    private readonly display: UpDisplay,
  ) {
    const { settings } = loaded
    this.simulated = settings.env === 'sim'
    this.runDir = this.simulated ? join(settings.data_dir, 'sim', runName()) : settings.data_dir
  }

  /** Starts everything; resolves when every role is ready. Throws when something cannot be had; then call `stop`. */
  async start(): Promise<void> {
    this.loadKeys()
    await assertPortsFree(this.wantedPorts())
    this.createRunDir()
    if (this.simulated && !this.options.keep) {
      this.lifecycle.defer('run folder', () => rmSync(this.runDir, { recursive: true, force: true }))
    }
    await this.startRedis()
    const settings = this.runSettings()
    this.writeUpFile(settings)
    this.createRoles(settings)
    this.listenToHeartbeats(settings)
    // Subscribers first, so that they hear every publisher from its first message.
    await this.startPhase((name) => name === 'sim')
    await this.startPhase((name) => name === 'mirror' || name === 'exec' || name.startsWith('shard-'))
    await this.startPhase((name) => name === 'orchestrator' || name === 'kalshi' || name === 'poly')
  }

  /** Names of the roles that are not ready. */
  get unready(): string[] {
    return this.roles.filter((role) => !role.isReady).map((role) => role.name)
  }

  /** Stops in the order that loses nothing: no new signals, open plans end, publishers close, the mirror drains. */
  async stop(): Promise<void> {
    this.stopping = true
    const order: ((name: string) => boolean)[] = [
      (name) => name.startsWith('shard-'),
      (name) => name === 'exec',
      (name) => name === 'kalshi' || name === 'poly' || name === 'orchestrator',
      (name) => name === 'mirror',
      (name) => name === 'sim',
    ]
    for (const belongs of order) {
      await Promise.all(this.roles.filter((role) => belongs(role.name)).map((role) => role.stop()))
    }
    for (const failure of await this.lifecycle.close()) this.display.say(`while stopping: ${failure}`)
  }

  /** Every role reads again who may connect. */
  reloadKeys(): void {
    if (this.keys === undefined) return this.display.say('SIGHUP: there are no keys to read again')
    try {
      this.display.say(`SIGHUP: ${this.keys.reload()} keys are allowed`)
      for (const role of this.roles) role.reloadKeys()
    } catch (error) {
      this.display.say(`SIGHUP: the allow-list stays as it was: ${messageOf(error)}`)
    }
  }

  /** Leaves no process behind, at once. */
  kill(): void {
    for (const role of this.roles) role.kill()
  }

  summary(): UpSummary {
    return summarize(this.roles, this.lastPids, this.redis)
  }

  /** The operator's: to hear who is alive. */
  private loadKeys(): void {
    const told = new Set<string>()
    this.keys = loadKeyRing(this.loaded.settings, OPERATOR, (reason, publisher) => {
      if (told.has(publisher)) return
      told.add(publisher)
      this.display.say(`${publisher} cannot be heard: ${reason}`)
    })
  }

  /** Also removes what an `up` that was killed left behind: folders whose owner is gone. */
  private createRunDir(): void {
    try {
      mkdirSync(this.runDir, { recursive: true })
      if (!this.simulated) return
      const runs = join(this.loaded.settings.data_dir, 'sim')
      for (const name of readdirSync(runs)) {
        const owner = join(runs, name, OWNER_FILE)
        if (existsSync(owner) && !isAlive(Number(readFileSync(owner, 'utf8')))) {
          rmSync(join(runs, name), { recursive: true, force: true })
        }
      }
      if (!this.options.keep) writeFileSync(join(this.runDir, OWNER_FILE), String(process.pid))
    } catch (error) {
      throw new ArbeesError('BAD_DATA_DIR', `cannot use the data dir ${this.runDir}: ${messageOf(error)}`, {
        exit: EXIT.CONFIG,
        hint: 'name a folder that can be written with --data-dir',
        cause: error,
      })
    }
  }

  private wantedPorts(): WantedPort[] {
    const { settings } = this.loaded
    const publishers = publisherNames(settings.shards).flatMap((name) => {
      const setting = (group: string) =>
        environmentName(`${group}.${name.startsWith('shard-') ? 'shards' : name}` as SettingKey)
      return [
        tcpPort(name, endpointUrl(settings, name), setting('endpoints')),
        tcpPort(`${name}'s recovery socket`, recoveryUrl(settings, name), setting('recovery')),
      ]
    })
    const simulators = this.simulated ? Object.values(simPorts(settings)) : []
    const metrics = metricsPorts(settings, this.roleNames).map((port) => ({
      ...port,
      role: `${port.role}'s metrics`,
    }))
    return [...publishers.filter((port) => port !== undefined), ...simulators, ...metrics]
  }

  /** All that it may start. */
  private get roleNames(): string[] {
    const { shards } = this.loaded.settings
    return [...publisherNames(shards), 'mirror', ...(this.simulated ? ['sim'] : [])]
  }

  /** The Redis that was named, else a private one, else none: the hot path does not need it. */
  private async startRedis(): Promise<void> {
    const { settings, origins } = this.loaded
    if (origins.redis_url !== 'default') {
      const { version } = await checkRedis(settings.redis_url)
      this.redis = { url: settings.redis_url, version, private: false }
    } else {
      try {
        const server = await startPrivateRedis({
          dir: this.runDir,
          onNotice: (text) => this.display.log('redis', text),
        })
        this.lifecycle.defer('redis', () => server.stop())
        this.redis = { url: server.url, version: server.version, private: true }
      } catch (error) {
        const hint = error instanceof ArbeesError && error.hint !== undefined ? ` (${error.hint})` : ''
        this.display.say(`no Redis, so no mirror: ${messageOf(error)}${hint}. The hot path runs without it.`)
        return
      }
    }
    this.display.say(`redis: ${parseRedisUrl(this.redis.url).shown} (${this.redis.version})`)
  }

  private runSettings(): Settings {
    const redis = this.redis === null ? {} : { redis_url: this.redis.url }
    const { settings, origins } = this.loaded
    const isShort = this.simulated && origins['journal.retain'] === 'default'
    const journal = isShort ? { 'journal.retain': SIM_JOURNAL_BYTES } : {}
    return { ...settings, ...redis, ...journal, data_dir: this.runDir }
  }

  private createRoles(settings: Settings): void {
    const environment = childEnvironment(settings)
    const { seed, speed, tape, faults } = this.options
    const simArgs = [
      'sim',
      '--seed',
      String(seed),
      '--speed',
      String(speed),
      ...(tape === undefined ? [] : ['--tape', tape]),
      ...(faults === undefined ? [] : ['--faults', faults]),
    ]
    const shards = Array.from({ length: settings.shards }, (_, index): RoleSpec => {
      const args = ['shard', '--index', String(index)]
      return { name: shardPublisher(index), args, environment, readyBy: 'heartbeat' }
    })
    const specs: RoleSpec[] = [
      ...(this.simulated ? [{ name: 'sim', args: simArgs, environment, readyBy: 'report' as const }] : []),
      { name: 'kalshi', args: ['monitor', 'kalshi'], environment, readyBy: 'heartbeat' },
      { name: 'poly', args: ['monitor', 'polymarket'], environment, readyBy: 'heartbeat' },
      { name: 'orchestrator', args: ['orchestrator'], environment, readyBy: 'heartbeat' },
      ...shards,
      // Its heartbeats begin before it has recovered and takes signals.
      { name: 'exec', args: ['exec'], environment, readyBy: 'report' },
      ...(this.redis === null
        ? []
        : [{ name: 'mirror', args: ['mirror'], environment, readyBy: 'report' as const }]),
    ]
    const events: SupervisedEvents = {
      onLog: (name, line) => this.display.log(name, line),
      onStateChange: (role, what) => {
        if (role.pid !== undefined) this.lastPids.set(role.name, role.pid)
        this.display.say(`${role.name} ${what}`)
      },
    }
    const withMetrics = (spec: RoleSpec): RoleSpec => ({
      ...spec,
      environment: {
        ...spec.environment,
        [environmentName('metrics_port')]: metricsPortOf(settings.metrics_port, spec.name),
      },
    })
    this.roles.push(...specs.map((spec) => new SupervisedRole(withMetrics(spec), BINARY, events)))
  }

  private listenToHeartbeats(settings: Settings): void {
    const byName = new Map(this.roles.map((role) => [role.name, role]))
    const subscriber = new Subscriber({
      endpoints: allEndpoints(settings).filter((endpoint) => endpoint.legacy !== true),
      prefixes: [],
      env: settings.env,
      clock: systemClock,
      keys: this.keys,
      onMessage: () => undefined,
      onHeartbeat: (heartbeat) => byName.get(heartbeat.publisher)?.heard(heartbeat.pid),
    })
    this.lifecycle.defer('heartbeats', () => subscriber.close())
  }

  private async startPhase(belongs: (name: string) => boolean): Promise<void> {
    if (this.stopping) return
    const phase = this.roles.filter((role) => belongs(role.name))
    for (const role of phase) role.start()
    const ready = await Promise.all(phase.map((role) => role.waitUntilReady(READY_DEADLINE_MS)))
    const failed = phase.find((role) => role.failedExit !== undefined)
    if (failed !== undefined) {
      throw new ArbeesError('ROLE_FAILED', `${failed.name} cannot run`, {
        exit: exitCodeOf(failed.failedExit),
        hint: `its last log lines say why: arbees ${failed.spec.args.join(' ')}`,
      })
    }
    const late = phase.filter((_, index) => ready[index] === false).map((role) => role.name)
    if (late.length > 0 && !this.stopping) {
      throw new ArbeesError(
        'NOT_READY',
        `not ready within ${READY_DEADLINE_MS / 1000} s: ${late.join(', ')}`,
        {
          exit: EXIT.FAILED,
          hint: 'its last log lines say why',
        },
      )
    }
  }

  /** For the operator's commands: where everything of this run is. */
  private writeUpFile(settings: Settings): void {
    const path = upFilePath(this.loaded.settings.data_dir)
    const entries = SETTING_KEYS.map((key) => [key, settingText(key, settings[key])] as const)
    const metrics = Object.fromEntries(
      metricsPorts(settings, this.roleNames).map(({ role, host, port }) => [role, metricsUrl(host, port)]),
    )
    const up: UpFile = {
      ...{ pid: process.pid, boot_id: bootId(), settings: Object.fromEntries(entries), metrics },
      ...(this.loaded.profile === undefined ? {} : { profile: this.loaded.profile }),
    }
    writeFileSync(path, `${JSON.stringify(up)}\n`, { mode: 0o600 })
    this.lifecycle.defer('up.json', () => rmSync(path, { force: true }))
  }
}

/** Every setting as its environment twin: a child decides nothing for itself, and reads no settings file. */
function childEnvironment(settings: Settings): Record<string, string> {
  const environment = Object.fromEntries(
    SETTING_KEYS.map((key) => [environmentName(key), settingText(key, settings[key])]),
  )
  return { ...environment, ARBEES_CONFIG: '', ARBEES_PROFILE: '', ARBEES_LOG_FORMAT: 'pretty', NO_COLOR: '1' }
}

/** The exit code of a role as one of ours. */
const exitCodeOf = (code: number | undefined): ExitCode =>
  Object.values(EXIT).find((known) => known === code) ?? EXIT.FAILED

/** Sorts by time, unique by chance. */
const runName = (): string => `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}-${randomId(3)}`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is alive too.
    return codeOf(error) === 'EPERM'
  }
}
