/**
 * A strict reader of Prometheus' text format 0.0.4, written from its description and sharing nothing with our writer:
 * https://prometheus.io/docs/instrumenting/exposition_formats/. Throws for what a scrape would refuse.
 */

export interface ParsedSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly help: string
  readonly type: string
  readonly samples: ParsedSample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

export function parsePrometheusText(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, { help: string; type: string; samples: ParsedSample[] }>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (NAME.exec(name)?.[0] !== name) throw new Error(`not a metric name: ${name}`)
      if (kind === 'HELP') {
        if (families.has(name)) throw new Error(`${name} comes twice`)
        families.set(name, { help: unescape(rest, false), type: '', samples: [] })
        current = name
      } else {
        const family = families.get(name)
        if (family === undefined || name !== current || family.type !== '')
          throw new Error(`a stray TYPE of ${name}`)
        if (!TYPES.includes(rest)) throw new Error(`no type: ${rest}`)
        family.type = rest
      }
      continue
    }
    if (line.startsWith('#')) continue
    const { name, sample } = parseSample(line)
    const family = families.get(name)
    if (name !== current || family === undefined || family.type === '')
      throw new Error(`${name} outside its family`)
    const same = JSON.stringify(Object.entries(sample.labels).sort())
    if (family.samples.some(({ labels }) => JSON.stringify(Object.entries(labels).sort()) === same))
      throw new Error(`${line} comes twice`)
    family.samples.push(sample)
  }
  return families
}

function parseSample(line: string): { readonly name: string; readonly sample: ParsedSample } {
  const name = NAME.exec(line)?.[0]
  if (name === undefined) throw new Error(`no sample: ${line}`)
  let rest = line.slice(name.length)
  const labels: Record<string, string> = {}
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    while (!rest.startsWith('}')) {
      const label = LABEL.exec(rest)?.[0]
      const quoted = label === undefined ? undefined : /^="((?:[^"\\]|\\.)*)"/.exec(rest.slice(label.length))
      if (label === undefined || quoted === undefined || quoted === null)
        throw new Error(`bad labels: ${line}`)
      if (Object.hasOwn(labels, label)) throw new Error(`${label} twice: ${line}`)
      labels[label] = unescape(quoted[1] ?? '', true)
      rest = rest.slice(label.length + quoted[0].length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (!rest.startsWith('}')) throw new Error(`bad labels: ${line}`)
    }
    rest = rest.slice(1)
  }
  const value = /^ (\S+)$/.exec(rest)?.[1]
  if (value === undefined) throw new Error(`no value: ${line}`)
  return { name, sample: { labels, value: parseValue(value) } }
}

function parseValue(text: string): number {
  const special = { '+Inf': Infinity, '-Inf': -Infinity, NaN }[text]
  if (special !== undefined) return special
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`no number: ${text}`)
  return Number(text)
}

function unescape(text: string, quotes: boolean): string {
  return text.replace(/\\(.)/g, (_, char: string) => {
    if (char === 'n') return '\n'
    if (char === '\\' || (quotes && char === '"')) return char
    throw new Error(`bad escape \\${char}`)
  })
}
