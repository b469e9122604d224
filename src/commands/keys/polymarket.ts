import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag } from '../../lib/cli/flags.js'
import type { PolymarketKeyReport } from '../../lib/operator/polymarket-key.js'

const TYPES = [0, 1, 2, 3] as const

export default class KeysPolymarket extends BaseCommand {
  static override summary = "get API credentials for a wallet's key, and write the file that exec trades with"
  static override description =
    'Proves to Polymarket that we hold the key, takes the API credentials it has for it or lets it make new ones, and writes {private_key, api_key, secret, passphrase, funder, signature_type} with mode 0600. Asks first whether the venue serves this region. No secret is printed. On sim data the simulator writes that file itself.'
  static override examples = [
    {
      description: 'a deposit wallet, which new accounts have',
      command:
        '<%= config.bin %> <%= command.id %> wallet.key --env prod --signature-type 3 --funder 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --out polymarket.json',
    },
    {
      description: 'a key that pays from its own address',
      command: '<%= config.bin %> <%= command.id %> wallet.key --env prod --out polymarket.json',
    },
  ]
  static override args = {
    'key-file': Args.string({
      description: "file of the wallet's private key: 64 hex digits, mode 0600",
      required: true,
    }),
  }
  static override flags = {
    out: Flags.string({ summary: 'file to write; else polymarket.credentials_file', helpValue: '<file>' }),
    'signature-type': Flags.option({
      summary: '0 own address, 1 e-mail account, 2 browser wallet, 3 deposit wallet',
      options: ['0', '1', '2', '3'] as const,
      default: '0',
    })(),
    funder: Flags.string({ summary: 'wallet that pays, of types 1 to 3', helpValue: '<address>' }),
    force: Flags.boolean({ summary: 'replace a file that is there', default: false }),
    env: envFlag,
  }

  async run(): Promise<PolymarketKeyReport> {
    const { args, flags } = await this.parse(KeysPolymarket)
    const { settings } = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      env: flags.env,
    })
    const { makePolymarketKey } = await import('../../lib/operator/polymarket-key.js')
    const { systemClock } = await import('../../lib/core/clock.js')
    const report = await makePolymarketKey({
      settings,
      clock: systemClock,
      keyFile: args['key-file'],
      out: flags.out ?? '',
      funder: flags.funder,
      signatureType: TYPES[Number(flags['signature-type']) as 0] ?? 0,
      force: flags.force,
    })
    const { stdout } = process
    if (!stdout.isTTY) this.log(JSON.stringify(report))
    else {
      this.log(
        `wrote ${report.file} (mode 0600): API credentials ${report.api_credentials} at ${report.clob}`,
      )
      this.log(`signs as ${report.address}, pays from ${report.funder}`)
    }
    const note =
      settings.env === 'sim'
        ? `for exec to trade with it: polymarket.credentials_file: ${report.file}`
        : `keep it: exec trades ${settings.env} data on paper only, and refuses to start where polymarket.credentials_file is set`
    process.stderr.write(`${note}\n`)
    return report
  }
}
