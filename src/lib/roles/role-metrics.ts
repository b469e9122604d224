/** `/metrics` of a role, where its settings ask for it. */

import { isLoopback } from '../bus/endpoints.js'
import { renderMetrics } from '../telemetry/metrics.js'
import { metricsOfRole } from '../telemetry/metrics-of-role.js'
import type { ProcessFigures, RoleFigures } from '../telemetry/metrics-of-role.js'
import { serveMetrics } from '../telemetry/metrics-server.js'
import type { Settings } from '../core/config.js'
import type { Lifecycle } from '../core/lifecycle.js'
import type { Logger } from '../telemetry/logger.js'

export interface RoleMetricsOptions {
  readonly name: string
  readonly settings: Settings
  readonly lifecycle: Lifecycle
  readonly log: Logger
  /** Asked at each request. */
  readonly figures: () => RoleFigures
}

/** Answers until the role ends. Throws `PORT_IN_USE`, `BIND_FAILED`. */
export async function openMetrics({
  name,
  settings,
  lifecycle,
  log,
  figures,
}: RoleMetricsOptions): Promise<void> {
  const { metrics_host: host, metrics_port: port } = settings
  if (port === '') return
  const render = () => renderMetrics(metricsOfRole(name, figures(), processFigures()))
  const server = await serveMetrics({ host, port: Number(port), render })
  lifecycle.defer('metrics', () => server.close())
  log.info(`metrics at ${server.url}`)
  if (!isLoopback(`tcp://${host}:${port}`)) log.warn(`metrics_host ${host}: who reaches it reads all counts`)
}

function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedSeconds: Date.now() / 1000 - process.uptime(),
  }
}
