/** One kept-alive connection and a POST over it, by undici's own client: what an order call is compared with. */

import { Client } from 'undici'
import { ArbeesError } from '../core/errors.js'

export class BarePost {
  private readonly client: Client
  private readonly path: string

  constructor(url: string) {
    const { origin, pathname } = new URL(url)
    this.client = new Client(origin, { pipelining: 1, keepAliveTimeout: 60_000 })
    this.path = pathname
  }

  /** Resolves when the whole answer is there. Throws `BENCH_FAILED` for any but 201. */
  async send(body: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const { path } = this
    const answer = await this.client.request({ method: 'POST', path, body, headers: { ...headers } })
    const text = await answer.body.text()
    if (answer.statusCode !== 201)
      throw new ArbeesError('BENCH_FAILED', `a bare POST was answered with ${answer.statusCode}: ${text}`)
  }

  close(): Promise<void> {
    return this.client.close()
  }
}
