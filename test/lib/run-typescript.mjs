/**
 * `node --import <this>`: runs the sources as they are, for tests that need a process of their own. What a source became
 * is kept by its content: the compiler costs each start half a second, and only what is new needs it.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'

const KEPT = fileURLToPath(new URL('../../node_modules/.cache/arbees-typescript', import.meta.url))
/** Part of each name: another compiler, or other options in this file, make everything new. */
const COMPILER =
  readFileSync(new URL('../../node_modules/typescript/package.json', import.meta.url), 'utf8') +
  readFileSync(new URL(import.meta.url), 'utf8')

const sourceOf = (url) => (url.startsWith('file:') ? url.replace(/\.js$/, '.ts') : url)

export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL !== undefined) {
    const url = sourceOf(new URL(specifier, context.parentURL).href)
    if (existsSync(fileURLToPath(url))) return { url, shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const text = readFileSync(fileURLToPath(url), 'utf8')
  const kept = join(
    KEPT,
    `${createHash('sha256').update(COMPILER).update('\0').update(text).digest('hex')}.js`,
  )
  const source = existsSync(kept) ? readFileSync(kept, 'utf8') : keep(kept, await compile(text))
  return { format: 'module', source, shortCircuit: true }
}

async function compile(text) {
  const { default: ts } = await import('typescript')
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  })
  return outputText
}

/** Whole or not at all: other processes read and write here at the same time. */
function keep(path, source) {
  mkdirSync(KEPT, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, source)
  renameSync(unfinished, path)
  return source
}

// The hooks run in a thread of their own, which loads this file too.
if (isMainThread) register(import.meta.url)
