/** What is wrong with a text that is no YAML, in words of ours: the first error, for one mistake brings many. */

import type { Document, ErrorCode } from 'yaml'

export interface YamlFault {
  /** Where in the text, from 0. */
  readonly offset: number
  /** Repeats no value: that may be a secret. */
  readonly message: string
  readonly hint?: string
}

type Words = readonly [message: string, hint?: string]

const UNCLOSED: Readonly<Record<string, Words>> = {
  ']': ['an opening [ has no ]', 'close it, and indent what stands between'],
  '}': ['an opening { has no }', 'close it, and indent what stands between'],
  quote: ['an opening quote has no closing one'],
}
const ONE_KEY: Words = [
  'a second key on the line of another',
  'put it on a line of its own, or quote the value',
]
const WORDS: Partial<Record<ErrorCode, Words>> = {
  BAD_DQ_ESCAPE: ['a \\ in "…" that escapes nothing', "write it in '…'"],
  BAD_INDENT: ['the indent is not that of the lines above', 'keys of one section begin in the same column'],
  BAD_SCALAR_START: ['a value cannot begin with @ or `', 'quote it'],
  BLOCK_AS_IMPLICIT_KEY: ONE_KEY,
  MISSING_CHAR: ['a key without its colon', 'write `key: value`'],
  MULTILINE_IMPLICIT_KEY: ['a key that does not end on its line', 'write `key: value`'],
  MULTIPLE_ANCHORS: ['two anchors (&name) at one value'],
  MULTIPLE_DOCS: ['a second document begins', 'take the --- out'],
  TAB_AS_INDENT: ['a tab as indent', 'indent with spaces'],
  UNEXPECTED_TOKEN: ['nothing may stand here', 'quote a value that holds signs of YAML'],
}

/** The first error of a document; undefined where there is none. */
export function yamlFault({ errors }: Document, text: string): YamlFault | undefined {
  const first = errors.reduce<(typeof errors)[number] | undefined>(
    (least, each) => (least === undefined || each.pos[0] < least.pos[0] ? each : least),
    undefined,
  )
  if (first === undefined) return undefined
  const [offset] = first.pos
  if (first.code === 'DUPLICATE_KEY') {
    const key = /^[\w.-]+/.exec(text.slice(offset))?.[0] ?? 'a key'
    return { offset, message: `${key} is given twice` }
  }
  const unclosed = /end with a ([\]}])$|^Missing closing .?(quote)/.exec(first.message)
  const words = UNCLOSED[unclosed?.[1] ?? unclosed?.[2] ?? ''] ?? WORDS[first.code]
  const [message, hint] = words ?? ['not `key: value` lines']
  return { offset, message: `not YAML: ${message}`, ...(hint === undefined ? {} : { hint }) }
}
