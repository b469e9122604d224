/** What a role counts, in Prometheus' text format 0.0.4. Pure; `metrics-server.ts` answers with it. */

export type MetricType = 'counter' | 'gauge'

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Samples of one name. */
export interface MetricFamily {
  /** `[a-z_][a-z0-9_]*`; a counter's ends in `_total`, a unit is the base one (seconds, bytes). */
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly samples: readonly MetricSample[]
}

/** The text, with a newline at its end. Families of the same name are to be joined before. */
export function renderMetrics(families: readonly MetricFamily[]): string {
  return families.map(renderFamily).join('')
}

function renderFamily({ name, type, help, samples }: MetricFamily): string {
  if (samples.length === 0) return ''
  const lines = samples.map(({ labels, value }) => `${name}${renderLabels(labels)} ${renderValue(value)}\n`)
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function renderValue(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
