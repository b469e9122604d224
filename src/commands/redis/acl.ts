import { BaseCommand } from '../../lib/cli/base-command.js'
import { envFlag, redisPublishFlag } from '../../lib/cli/flags.js'
import type { RedisUsers } from '../../lib/operator/redis-users.js'

export default class RedisAcl extends BaseCommand {
  static override summary = 'print the Redis user of each role, as lines for redis-cli'
  static override description =
    'Each may do what its role does and nothing else. The lines set no password and keep one that is set: give them again after an update. A user without a password cannot log in.'
  static override examples = [
    {
      description: 'make or update the users of prod',
      command: '<%= config.bin %> <%= command.id %> --env prod | redis-cli',
    },
    {
      description: "then each one's password, once",
      command: `redis-cli ACL SETUSER arbees-mirror ">$(openssl rand -hex 32)"`,
    },
  ]
  static override flags = { env: envFlag, 'redis-publish': redisPublishFlag }

  async run(): Promise<RedisUsers> {
    const { flags } = await this.parse(RedisAcl)
    const { settings } = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      env: flags.env,
      redis_publish: flags['redis-publish'],
    })
    const { listRedisUsers } = await import('../../lib/operator/redis-users.js')
    const list = listRedisUsers(settings)
    this.log(list.users.map(({ line }) => line).join('\n'))
    return list
  }
}
