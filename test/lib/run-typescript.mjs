/** `node --import <this>`: runs the sources as they are, for tests that need a process of their own. */
import { existsSync, readFileSync } from 'node:fs'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const sourceOf = (url) => (url.startsWith('file:') ? url.replace(/\.js$/, '.ts') : url)

export function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL !== undefined) {
    const url = sourceOf(new URL(specifier, context.parentURL).href)
    if (existsSync(fileURLToPath(url))) return { url, shortCircuit: true }
  }
  return next(specifier, context)
}

export function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { outputText } = ts.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    },
  })
  return { format: 'module', source: outputText, shortCircuit: true }
}

// The hooks run in a thread of their own, which loads this file too.
if (isMainThread) register(import.meta.url)
