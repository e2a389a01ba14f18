// Scratch folders on a real disk: admission, removal, and the sweep after a crash.

import { spawn } from 'node:child_process'
import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createScratchRoom, folderName, NoRoom, type ScratchRoom, withScratch } from '../../../workers/media/scratch.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'

let corpus: Corpus
beforeAll(async () => {
  corpus = await createCorpus()
})
afterAll(() => corpus.remove())

let rooms = 0
const room = (marginBytes = 0): ScratchRoom & { root: string } => {
  const root = join(corpus.dir, `room-${rooms++}`)
  return { ...createScratchRoom({ root, marginBytes }), root }
}
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

describe('a room', () => {
  it('that is too small for one job has room for others all the same', async () => {
    const scratches = room()
    const free = await scratches.freeBytes()
    const first = await scratches.open('film', free / 2)
    await expect(scratches.open('another film', free * 0.75)).rejects.toBeInstanceOf(NoRoom)
    expect(await scratches.state()).toBe('enough')
    await withScratch(scratches, 'clip', free / 8, () => Promise.resolve())
    await first.remove()
    await withScratch(scratches, 'another film', free * 0.75, () => Promise.resolve())
  })
})

describe('a scratch folder', () => {
  it('is private, named after its owner and its job, and gone when the job is done', async () => {
    const { root, ...scratches } = room()
    const dir = await withScratch(scratches, 'transcode-../x y', 0, async (scratch) => {
      expect(dirname(scratch.dir)).toBe(root)
      expect(basename(scratch.dir)).toMatch(new RegExp(`\\.${process.pid}\\.\\d+\\.transcode-\\.\\._x_y-`))
      expect((await stat(scratch.dir)).mode & 0o777).toBe(0o700)
      await writeFile(scratch.path('out.mp4'), 'x')
      return scratch.dir
    })
    expect(await exists(dir)).toBe(false)
  })

  it('is gone too when the job fails', async () => {
    const { root, ...scratches } = room()
    const run = withScratch(scratches, 'job', 0, async (scratch) => {
      await mkdir(scratch.path('deep/er'), { recursive: true })
      throw new Error('the job failed')
    })
    await expect(run).rejects.toThrow('the job failed')
    expect(await readdir(root)).toEqual([])
  })

  it('may be removed twice', async () => {
    const scratches = room()
    const scratch = await scratches.open('job', 1000)
    const before = await scratches.freeBytes()
    await scratch.remove()
    await scratch.remove()
    expect((await scratches.freeBytes()) - before).toBeGreaterThan(-50_000_000)
  })
})

describe('admission', () => {
  it('refuses what does not fit beside the margin, as our trouble', async () => {
    const free = await room().freeBytes()
    await expect(room().open('job', free * 2)).rejects.toMatchObject({
      code: 'OUT_OF_SPACE',
      source: 'system',
    })
    await expect(room(free * 2).open('job', 1)).rejects.toMatchObject({
      code: 'OUT_OF_SPACE',
      source: 'system',
    })
  })

  it('counts what running jobs may still write', async () => {
    const scratches = room()
    const most = Math.floor((await scratches.freeBytes()) * 0.6)
    const first = await scratches.open('first', most)
    await expect(scratches.open('second', most)).rejects.toMatchObject({ code: 'OUT_OF_SPACE' })
    await first.remove()
    await (await scratches.open('second', most)).remove()
  })
})

describe('the sweep', () => {
  const owned = async (root: string, owner: Parameters<typeof folderName>[0]): Promise<string> => {
    const name = folderName(owner, 'job')
    await mkdir(join(root, name), { recursive: true })
    return name
  }

  it('removes what a dead worker left, and nothing of living ones', async () => {
    const { root, ...scratches } = room()
    const alive = await scratches.open('alive', 0)
    const dead = spawn('true')
    await new Promise((resolve) => dead.once('exit', resolve))
    const left = await owned(root, { host: hostname(), pid: dead.pid ?? 0, started: '12345' })
    // The same process id, given to another process since.
    const reused = await owned(root, { host: hostname(), pid: process.pid, started: '1' })
    expect((await scratches.sweep()).sort()).toEqual([left, reused].sort())
    expect(await exists(alive.dir)).toBe(true)
    await alive.remove()
  })

  it("takes another machine's folder only when it has long shown no life", async () => {
    const { root, ...scratches } = room()
    const foreign = await owned(root, { host: 'another-machine', pid: 1, started: '1' })
    await mkdir(join(root, 'nobody-knows-whose'))
    const now = new Date()
    for (const name of [foreign, 'nobody-knows-whose']) await utimes(join(root, name), now, now)
    expect(await scratches.sweep()).toEqual([])
    const longAgo = new Date(Date.now() - 2 * 3_600_000)
    await utimes(join(root, foreign), longAgo, longAgo)
    expect(await scratches.sweep()).toEqual([foreign])
  })

  it('has nothing to do where no root is yet', async () => {
    expect(await room().sweep()).toEqual([])
  })
})
