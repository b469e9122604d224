/** The journal is not what it was: overrun, on a full disk, deleted. What is missing must be told exactly. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../src/lib/core/backoff.js'
import { openJournalReader } from '../../src/lib/bus/journal/reader.js'
import { FileStorage } from '../../src/lib/bus/journal/storage.js'
import { staged } from './fault-case.js'
import type { FaultCase } from './fault-case.js'
import { SOURCE } from './market-load.js'
import type { Family, Stage } from './stage.js'
import type { Outcome } from './verdict.js'

const DISK_MEGABYTES = 16

export function journalCases(family: Family): FaultCase[] {
  return [
    staged(family, {
      name: 'retention-overrun',
      aboutMs: 9_000,
      control: 'must_lose',
      atLeastSent: 20_000,
      gapped: 'any',
      stage: { retainBytes: 2 * 1024 * 1024 },
      play: overrun,
    }),
    staged(family, {
      name: 'disk-full',
      aboutMs: 14_000,
      control: 'must_lose',
      atLeastSent: 2_000,
      gapped: 'any',
      stage: { diskMegabytes: DISK_MEGABYTES, retainBytes: 8 * 1024 * 1024 },
      play: diskFull,
    }),
    staged(family, {
      name: 'disk-full-publisher-kill',
      aboutMs: 10_000,
      control: 'must_lose',
      atLeastSent: 700,
      gapped: 'any',
      stage: { diskMegabytes: DISK_MEGABYTES, retainBytes: 8 * 1024 * 1024 },
      play: diskFullAndKilled,
    }),
    staged(family, {
      name: 'journal-deleted',
      aboutMs: 9_000,
      control: 'must_lose',
      atLeastSent: 1_000,
      gapped: 'any',
      play: deletedWhileDown,
    }),
    staged(family, {
      name: 'journal-deleted-live',
      aboutMs: 10_000,
      control: 'must_lose',
      atLeastSent: 1_000,
      gapped: 'any',
      play: deletedWhileLive,
    }),
  ]
}

/** The one gap record must begin behind what was read and end before the oldest that the journal has. */
async function overrun(stage: Stage): Promise<Outcome> {
  await stage.caughtUp()
  const before = stage.head
  await stage.killReaders()
  await stage.burst(20_000)
  await stage.startReaders()
  const outcome = await stage.finish(await stage.caughtUp())
  const { segments } = openJournalReader(new FileStorage(join(stage.journalRoot, SOURCE)))
  const oldest = segments[0]
  const { gaps } = await stage.ours.arrivals()
  const told = gaps.map(({ epoch, from, to, reason }) => `${epoch}/${from}-${to ?? ''} ${reason}`)
  const expected = oldest && `${oldest.epoch}/${before.seq + 1}-${oldest.first - 1} retention`
  const problems =
    told.length === 1 && told[0] === expected ? [] : [`gap records ${told.join()}, not ${expected}`]
  return { ...outcome, problems: [...outcome.problems, ...problems], details: { gap_records: told } }
}

/** Prices go on while nothing can be written; what was published then is had from memory or told to be missing. */
async function diskFull(stage: Stage): Promise<Outcome> {
  stage.rate(500)
  await sleep(800)
  stage.disk?.fill()
  await sleep(1_500)
  await stage.killReaders()
  await sleep(1_000)
  await stage.startReaders()
  await stage.caughtUp()
  stage.disk?.free()
  await sleep(2_500)
  await stage.killReaders()
  await stage.burst(500)
  await stage.startReaders()
  return finishTelling(stage)
}

/** What only its memory had dies with the publisher. */
async function diskFullAndKilled(stage: Stage): Promise<Outcome> {
  await stage.caughtUp()
  stage.disk?.fill()
  await stage.killReaders()
  await stage.burst(500)
  await stage.publisher.kill()
  stage.disk?.free()
  await stage.startPublisher()
  await stage.burst(200)
  await stage.startReaders()
  return finishTelling(stage)
}

async function deletedWhileDown(stage: Stage): Promise<Outcome> {
  stage.rate(1_000)
  await sleep(800)
  await stage.killReaders()
  await sleep(500)
  await stage.publisher.kill()
  rmSync(stage.journalRoot, { recursive: true, force: true })
  await stage.startPublisher()
  await stage.startReaders()
  await sleep(800)
  return finishTelling(stage)
}

async function deletedWhileLive(stage: Stage): Promise<Outcome> {
  stage.rate(1_000)
  await sleep(800)
  rmSync(stage.journalRoot, { recursive: true, force: true })
  await sleep(800)
  await stage.killReaders()
  await sleep(800)
  await stage.startReaders()
  await sleep(500)
  await stage.killReaders()
  await stage.publisher.kill()
  await stage.startPublisher()
  await sleep(500)
  await stage.startReaders()
  return finishTelling(stage)
}

async function finishTelling(stage: Stage): Promise<Outcome> {
  const outcome = await stage.finish(await stage.caughtUp())
  const { gaps } = await stage.ours.arrivals()
  const told = gaps.map(({ epoch, from, to, reason }) => `${epoch}/${from}-${to ?? ''} ${reason}`)
  return { ...outcome, details: { gap_records: told.slice(0, 10) } }
}
