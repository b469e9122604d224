import { describe, expect, it } from 'vitest'
import { createPlace, launch } from '../e2e/launch.js'
import { TestRedis } from '../lib/redis/support.js'

describe('arbees redis acl', () => {
  it('prints lines that redis-cli takes as they are', async () => {
    const place = await createPlace()
    const server = await TestRedis.start()
    try {
      const command = ['redis', 'acl', '--env', 'demo', '--redis-publish']
      const [run, json] = [command, [...command, '--json']].map((args) => launch(args, place.environment))
      expect(await run!.ended).toBe(0)
      expect(server.cliInput(run!.stdout())).toMatch(/^(OK\n){8}$/)
      const users = server.cli('ACL', 'USERS').split('\n')
      expect(users).toEqual(expect.arrayContaining(['arbees-demo-mirror', 'arbees-demo-monitor', 'default']))
      expect(await json!.ended).toBe(0)
      const list = JSON.parse(json!.stdout()) as { users: { name: string; line: string }[] }
      expect(list.users.map(({ line }) => line).join('\n')).toBe(run!.stdout().trimEnd())
    } finally {
      await server.stop()
      place.remove()
    }
  })
})

describe('a Redis password', () => {
  it('is refused behind a flag, where every user of the host reads it, and not repeated', async () => {
    const place = await createPlace()
    const typed = ['--redis-url', 'redis://arbees-mirror:quokka@127.0.0.1:1']
    const environment = { ...place.environment, ARBEES_REDIS_URL: undefined }
    const runs = ['mirror', 'status'].map((command) => launch([command, ...typed], environment))
    for (const run of runs) {
      expect(await run.ended).toBe(2)
      expect(run.stderr()).toContain('ARBEES_REDIS_URL')
      expect(run.stdout() + run.stderr()).not.toContain('quokka')
    }
    place.remove()
  })
})
