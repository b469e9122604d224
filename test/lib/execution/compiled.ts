/**
 * Child processes for tests: Node runs no TypeScript, so `src/lib` and the child's own files are transpiled once into
 * a folder below `node_modules`, from where packages resolve.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'

const ROOT = resolve(import.meta.dirname, '../../..')

export interface Compiled {
  /** Starts `file` (repository path, `.ts`) in Node; `shell` runs it below a shell command that ends in `exec "$@"`. */
  run(
    file: string,
    args: readonly string[],
    options?: { readonly shell?: string },
  ): Finished & { child: ChildProcess }
  /** Where the compiled `file` (repository path, `.ts`) lies. */
  pathOf(file: string): string
  remove(): void
}

export interface Finished {
  readonly done: Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly stdout: string
    readonly stderr: string
  }>
}

export function compile(...places: readonly string[]): Compiled {
  const cache = join(ROOT, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const out = mkdtempSync(join(cache, 'arbees-test-'))
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  for (const place of places) {
    for (const file of filesBelow(place)) {
      const text = readFileSync(join(ROOT, file), 'utf8')
      const compilerOptions = {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      }
      const target = join(out, file.replace(/\.ts$/, '.js'))
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, ts.transpileModule(text, { compilerOptions }).outputText)
    }
  }
  const pathOf = (file: string): string => join(out, file.replace(/\.ts$/, '.js'))
  return {
    pathOf,
    run: (file, args, { shell } = {}) => {
      const command = [process.execPath, pathOf(file), ...args]
      const child =
        shell === undefined
          ? spawn(command[0]!, command.slice(1))
          : spawn('bash', ['-c', shell, 'bash', ...command])
      return { child, done: finished(child) }
    },
    remove: () => rmSync(out, { recursive: true, force: true }),
  }
}

function filesBelow(place: string): string[] {
  if (place.endsWith('.ts')) return [place]
  return readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(place, file))
}

function finished(child: ChildProcess): Finished['done'] {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
}
