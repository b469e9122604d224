/** The simulated venues as a role: key files for the others, servers on loopback, and the venues' own counts. */

import { createSimAccounts } from '../sim/accounts.js'
import { startSimulator } from '../sim/simulator.js'
import { simPorts } from '../venues/urls.js'
import { accountDir } from './credentials.js'
import type { RoleContext } from './role.js'

export interface SimRoleOptions {
  readonly seed: number
  readonly speed: number
  /** Recorded frames to play instead of the scenario's. */
  readonly tape?: string
  /** A script of what goes wrong at the venues. */
  readonly faults?: string
}

export async function runSim(context: RoleContext, options: SimRoleOptions): Promise<void> {
  const { settings, lifecycle, log } = context
  const accountsDir = accountDir(settings)
  const { kalshi, poly, gamma, espn } = simPorts(settings)
  await createSimAccounts(accountsDir)
  const simulator = await startSimulator({
    seed: options.seed,
    speed: options.speed,
    ports: { kalshi: kalshi.port, poly: poly.port, gamma: gamma.port, espn: espn.port },
    accountsDir,
    ...(options.tape === undefined ? {} : { tape: options.tape }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    onNotice: (level, text) => log[level](text),
  })
  lifecycle.defer('simulator', () => simulator.close())
  context.report = () => {
    const { orders, fills, frames, refused } = simulator.stats()
    const counts: Record<string, number> = { orders, fills, frames }
    for (const [reason, count] of Object.entries(refused)) counts[`refused:${reason}`] = count
    return { counts, hops: {} }
  }
  for (const [name, url] of Object.entries(simulator.urls)) log.info(`${name}: ${url}`)
  context.ready()
}
