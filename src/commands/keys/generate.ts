import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { keysDirFlag } from '../../lib/cli/flags.js'
import type { KeysReport } from '../../lib/operator/keys.js'

export default class KeysGenerate extends BaseCommand {
  static override summary = 'make the keys of roles, and the one that signals are sealed with'
  static override description =
    'Writes <name>.key (mode 0600) for each role and lets it connect. Without names: every publisher, the mirror and the operator, and signals.hmac, which is the same on every host of shards and exec: copy it there. Named roles get no signals.hmac unless it is named too. Keys that exist are never replaced without --force.'
  static override examples = [
    { description: 'all roles of this deployment', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'one more shard, on a host of its own; then copy signals.hmac to it',
      command: '<%= config.bin %> <%= command.id %> shard-1',
    },
    {
      description: 'a new key to seal signals with, for all hosts',
      command: '<%= config.bin %> <%= command.id %> signals.hmac --force',
    },
    {
      description: 'somewhere else',
      command: '<%= config.bin %> <%= command.id %> --keys-dir /etc/arbees/keys',
    },
  ]
  static override strict = false
  static override args = {
    name: Args.string({
      description: 'roles (kalshi, poly, orchestrator, shard-0, exec, mirror, operator) or signals.hmac',
    }),
  }
  static override flags = {
    force: Flags.boolean({ summary: 'replace keys that exist', default: false }),
    'keys-dir': keysDirFlag,
  }

  async run(): Promise<KeysReport> {
    const { argv, flags } = await this.parse(KeysGenerate)
    const { settings } = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      keys_dir: flags['keys-dir'],
    })
    const { generateKeys } = await import('../../lib/operator/keys.js')
    const { nextSteps, renderKeys } = await import('../../lib/operator/keys-view.js')
    const report = generateKeys(settings, argv.map(String), flags.force)
    const { stdout } = process
    if (stdout.isTTY) this.log(renderKeys(report, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    for (const line of nextSteps(report)) process.stderr.write(`${line}\n`)
    return report
  }
}
