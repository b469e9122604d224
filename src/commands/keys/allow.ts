import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { keysDirFlag } from '../../lib/cli/flags.js'
import type { KeyRow } from '../../lib/operator/keys.js'

export default class KeysAllow extends BaseCommand {
  static override summary = 'let the holder of a key connect, and pin it when it is a publisher'
  static override description =
    'Under the name of a publisher the key is also the one that its readers insist on. Running roles read the list again at SIGHUP. To take a key back, delete its line in allowed.keys; who is connected stays so until its connection ends.'
  static override examples = [
    {
      description: 'a shard on another host',
      command: "<%= config.bin %> <%= command.id %> shard-1 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'",
    },
  ]
  static override args = {
    name: Args.string({ description: 'whose key it is', required: true }),
    key: Args.string({ description: 'public key, as `keys show` prints it; quote it', required: true }),
  }
  static override flags = {
    force: Flags.boolean({ summary: 'replace another key of that name', default: false }),
    'keys-dir': keysDirFlag,
  }

  async run(): Promise<KeyRow> {
    const { args, flags } = await this.parse(KeysAllow)
    const { settings } = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      keys_dir: flags['keys-dir'],
    })
    const { allowKey } = await import('../../lib/operator/keys.js')
    const row = allowKey(settings, args.name, args.key, flags.force)
    const { stdout } = process
    if (stdout.isTTY) this.log(`${row.name} is allowed with ${row.fingerprint}`)
    else this.log(JSON.stringify(row))
    return row
  }
}
