#!/usr/bin/env node
import { rmSync, statSync } from 'node:fs'
import { execute } from '@oclif/core'

// A manifest from before the last build would hide what is new.
const manifest = new URL('../oclif.manifest.json', import.meta.url)
const changedMs = (url) => statSync(url, { throwIfNoEntry: false })?.mtimeMs
if (changedMs(manifest) < changedMs(new URL('../dist/.tsbuildinfo', import.meta.url))) {
  rmSync(manifest, { force: true })
}

await execute({ dir: import.meta.url })
