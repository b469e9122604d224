/**
 * Everything that a fresh clone needs before it can run: the right Node, npm's packages, a build, a Redis server.
 * Safe to run again and quick when there is nothing to do. Talks on stderr alone: stdout belongs to the command.
 */

import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** The venues' own clients, which tests compare ours with. */
const ORACLES = join(root, 'test', 'oracles')
const BUILD_STAMP = join(root, 'dist', '.built')
const POLICY = '/usr/sbin/policy-rc.d'

/** Sets up, for tests with what only they need; ends the process with one clear line when something cannot be had. */
export function setUp({ forTests = false } = {}) {
  checkNode()
  const steps = [
    { name: 'npm packages', needed: () => packagesAreStale(root), run: () => installPackages(root) },
    {
      name: "the venues' own clients",
      needed: () => forTests && packagesAreStale(ORACLES),
      run: () => installPackages(ORACLES),
    },
    { name: 'build', needed: buildIsStale, run: () => build({ checksTypes: !forTests }) },
    { name: 'redis-server', needed: () => findRedis() === undefined, run: installRedis },
  ].filter((step) => step.needed())
  steps.forEach((step, index) => {
    const started = Date.now()
    say(`[${index + 1}/${steps.length}] ${step.name} …`)
    step.run()
    say(
      `[${index + 1}/${steps.length}] ${step.name}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`,
    )
  })
}

/** The Redis (or Valkey) server on PATH, or undefined. */
export function findRedis() {
  return ['redis-server', 'valkey-server'].map(findOnPath).find((path) => path !== undefined)
}

/** An executable on PATH (and in the sbin folders that apt installs into), or undefined. */
export function findOnPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return statSync(path).isFile()
      } catch {
        return false
      }
    })
}

/** Installs Debian packages as root or by `sudo -n`; false where that is not possible. */
export function aptInstall(packages) {
  const isRoot = process.getuid?.() === 0
  if (findOnPath('apt-get') === undefined) return false
  if (!isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return false
  const asRoot = (command, args) => {
    const [file, ...rest] = isRoot ? [command, ...args] : ['sudo', '-n', command, ...args]
    return spawnSync(file, rest, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status
  }
  const install = ['-y', '-q', '--no-install-recommends', 'install', ...packages]
  return withoutServices(asRoot, () => {
    if (asRoot('apt-get', install) === 0) return true
    return asRoot('apt-get', ['-q', 'update']) === 0 && asRoot('apt-get', install) === 0
  })
}

/** Debian starts what it installs; a policy of our own, for these seconds, keeps services down. */
function withoutServices(asRoot, action) {
  const ours = !existsSync(POLICY)
  if (ours) asRoot('sh', ['-c', `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`])
  try {
    return action()
  } finally {
    if (ours) asRoot('rm', ['-f', POLICY])
  }
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(
    `arbees needs Node 20.19 or newer, this is ${process.versions.node}: install it from your package manager or nodejs.org`,
  )
}

const lockStamp = (folder) => join(folder, 'node_modules', '.arbees-lock')
const lockHash = (folder) =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')

function packagesAreStale(folder) {
  const stamp = lockStamp(folder)
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockHash(folder)
}

function installPackages(folder) {
  // Every dependency works without its install script: zeromq and libsql carry prebuilt addons.
  run(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'],
    'npm ci failed: see above',
    folder,
  )
  writeFileSync(lockStamp(folder), lockHash(folder))
}

function buildIsStale() {
  if (!existsSync(BUILD_STAMP)) return true
  const built = statSync(BUILD_STAMP).mtimeMs
  const newer = (path) => statSync(path).mtimeMs > built
  const configs = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) =>
    join(root, name),
  )
  if (configs.some(newer)) return true
  // A folder's own time tells of deleted files.
  return readdirSync(join(root, 'src'), { recursive: true }).some((name) =>
    newer(join(root, 'src', String(name))),
  )
}

/** The tests check the types of everything on their own. */
function build({ checksTypes }) {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const emit = [tsc, '-p', join(root, 'tsconfig.build.json'), ...(checksTypes ? [] : ['--noCheck'])]
  run(process.execPath, emit, 'the build failed: see above')
  run(process.execPath, [join(root, 'scripts', 'manifest.mjs')], 'the build failed: see above')
  writeFileSync(BUILD_STAMP, '')
}

function installRedis() {
  const installed = aptInstall(['redis-server']) && findRedis() !== undefined
  if (!installed) {
    fail(
      'no redis-server or valkey-server on PATH, and apt-get cannot install one here: install Redis 6 or newer and run this again',
    )
  }
}

function run(command, args, failure, cwd = root) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] })
  if (status !== 0) fail(failure)
}

function fail(text) {
  say(text)
  process.exit(1)
}

function say(text) {
  process.stderr.write(`set-up: ${text}\n`)
}
