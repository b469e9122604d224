import { Flags } from '@oclif/core'
import { metricsFlags } from '../lib/cli/flags.js'
import { RoleCommand, roleFlags, roleSettings } from '../lib/cli/role-command.js'

export default class Sim extends RoleCommand {
  static override summary = 'simulate Kalshi, Polymarket, Gamma and ESPN on loopback'
  static override description =
    'Speaks the real protocols and checks what the venues check: signatures, sequence, limits, error bodies. A seeded evening of games, or recorded frames with --tape. Key files for the other roles go to <data dir>/account. It listens where the settings kalshi.rest_url, polymarket.clob_url, polymarket.gamma_url and espn.url say: ports 7001 to 7004; the sports channel is on the second of them.'
  static override examples = [
    { description: 'the default evening', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'another one, ten times as fast',
      command: '<%= config.bin %> <%= command.id %> --seed 7 --speed 10',
    },
    { description: 'recorded frames', command: '<%= config.bin %> <%= command.id %> --tape evening.jsonl' },
    {
      description: 'an evening on which things go wrong',
      command: '<%= config.bin %> <%= command.id %> --faults trouble.jsonl',
    },
  ]
  static override flags = {
    seed: Flags.integer({ summary: 'which evening', default: 1, min: 0, env: 'ARBEES_SIM_SEED' }),
    speed: Flags.integer({
      summary: 'simulated seconds a second',
      default: 1,
      min: 1,
      max: 1000,
      env: 'ARBEES_SIM_SPEED',
    }),
    tape: Flags.string({ summary: 'play recorded frames, JSON lines', helpValue: '<file>' }),
    faults: Flags.string({
      summary:
        "what goes wrong at the venues and when, JSON lines (see the 'Faults' part of the operations manual)",
      helpValue: '<file>',
    }),
    'redis-url': roleFlags['redis-url'],
    'log-format': roleFlags['log-format'],
    ...metricsFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Sim)
    const { runSim } = await import('../lib/roles/sim.js')
    const { settings, origins } = this.loadSettings(roleSettings({ ...flags, env: 'sim' }))
    // Not on the bus: it has no key, and needs none.
    const loaded = { settings: { ...settings, keys_dir: '' }, origins }
    await this.runRole('sim', loaded, (context) =>
      runSim(context, {
        seed: flags.seed,
        speed: flags.speed,
        ...(flags.tape === undefined ? {} : { tape: flags.tape }),
        ...(flags.faults === undefined ? {} : { faults: flags.faults }),
      }),
    )
  }
}
