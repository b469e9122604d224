/** Reads that the venue turned away for asking too often (429, without a hint when to come again) are asked again. */

import { Backoff, sleep } from '../../core/backoff.js'
import type { PageSource } from './pages.js'
import type { RestCall } from './rest.js'
import type { RestResult } from './rest-result.js'

/** Together at most some seven seconds: a bucket refills within one or two. */
const MAX_WAITS = 4
const WAIT_MS = { minMs: 200, maxMs: 3_000 }

export class PatientReader implements PageSource {
  constructor(private readonly rest: PageSource) {}

  async get(path: string, call: Pick<RestCall, 'query' | 'signal'>): Promise<RestResult> {
    const backoff = new Backoff(WAIT_MS)
    for (let waits = 0; ; waits++) {
      const result = await this.rest.get(path, call)
      const isBusy = result.kind === 'refused' && result.status === 429
      if (!isBusy || waits === MAX_WAITS) return result
      if ((await sleep(backoff.nextMs(), call.signal)) === 'aborted') return result
    }
  }
}
