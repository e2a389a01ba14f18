// The files of a trial: a lesson of twenty seconds and a lesson plan of three pages, or the caller's own.

import { createHash } from 'node:crypto'
import { access, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ffmpeg } from '../../test/support/media/corpus.ts'
import { pdfBytes } from '../../test/support/media/pdfs.ts'
import { fileSource, type Source } from '../lib/source.ts'
import { UsageError } from '../lib/usage.ts'

export type TriedFile = {
  path: string
  name: string
  slot: string
  /** Description for the user. */
  about: string
  source: Source
}

/** Seconds of the lesson: long enough for a poster at a third of it, short enough to wait for. */
const LESSON_SECONDS = 20

/** Makes both files in `dir`. */
export async function makeFiles(dir: string): Promise<TriedFile[]> {
  const plan = join(dir, 'แผนการจัดการเรียนรู้.pdf')
  const lesson = join(dir, 'บันทึกการสอน.mp4')
  await writeFile(plan, pdfBytes({ pages: 3 }))
  await ffmpeg(
    ['-f', 'lavfi', '-i', `testsrc2=s=854x480:r=25:d=${LESSON_SECONDS}`],
    ['-f', 'lavfi', '-i', `sine=f=440:r=48000:d=${LESSON_SECONDS}`],
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50', '-c:a', 'aac'],
    ['-movflags', '+faststart', lesson],
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new UsageError('ffmpeg is not installed; `npm start` installs it.')
  })
  return [
    await tried(plan, 'lesson_plan', 'PDF, 3 pages'),
    await tried(lesson, 'teaching_video', `video with sound, ${LESSON_SECONDS} s, 854x480`),
  ]
}

export async function ownFile(path: string, slot: string): Promise<TriedFile> {
  await access(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read: ${error.code}`)
  })
  return await tried(path, slot, 'your own file')
}

async function tried(path: string, slot: string, about: string): Promise<TriedFile> {
  const source = await fileSource(path)
  if (source.bytes === 0) throw new UsageError(`${path} is empty.`)
  return { path, name: basename(path), slot, about, source }
}

const MIB = 1024 * 1024

/** The file's fingerprint: SHA-256 over its length, first MiB and last MiB. */
export async function fingerprintOf({ bytes, chunks }: Source): Promise<string> {
  const hash = createHash('sha256').update(String(bytes))
  for (const [start, end] of [
    [0, Math.min(MIB, bytes)],
    [Math.max(0, bytes - MIB), bytes],
  ] as const)
    for await (const chunk of chunks(start, end)) hash.update(chunk)
  return hash.digest('hex')
}
