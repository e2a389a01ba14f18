// Files whose headers, edit lists or tags say something else than what is in them.

import { readFile, writeFile } from 'node:fs/promises'
import type { Corpus } from './corpus.ts'
import { scaleClaims } from './mp4-bytes.ts'
import { setEdits, stretched } from './mp4-edit.ts'
import { mp4 } from './recordings.ts'
import { lesson } from './videos.ts'

/** 21 seconds, of which headers and edit list tell three: more than an honest trim hides. */
export async function claimsLess(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { seconds: 21, framesPerSecond: 5 })
  return await corpus.file('claims-less.mp4', async (path) =>
    writeFile(path, scaleClaims(await readFile(source), 1 / 7)),
  )
}

/** The header is honest; only the edit list hides all but the first seconds. */
export async function hiddenByEdits(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { seconds: 21, framesPerSecond: 5, faststart: false })
  return await corpus.file('hidden-by-edits.mp4', async (path) =>
    writeFile(path, setEdits(await readFile(source), [{ seconds: 3, from: 0 }])),
  )
}

/** Plays the same seconds over and over: short by its samples, long for whoever watches it. */
export async function repeatedByEdits(corpus: Corpus, times: number): Promise<string> {
  const source = await lesson(corpus, { faststart: false })
  const edits = Array.from({ length: times }, () => ({ seconds: 4, from: 0 }))
  return await corpus.file(`repeated-${times}.mp4`, async (path) =>
    writeFile(path, setEdits(await readFile(source), edits)),
  )
}

/** Some seconds of pictures, each of which lasts for minutes. Sound and picture are of that length too. */
export async function long(corpus: Corpus, seconds: number): Promise<string> {
  const source = await mp4(corpus, 'to-be-stretched.mp4', {
    seconds: 12,
    picture: 'testsrc2=s=640x480:r=3',
    sounds: ['sine=r=8000'],
  })
  return await corpus.file(`long-${seconds}.mp4`, async (path) =>
    writeFile(path, stretched(await readFile(source), seconds)),
  )
}

/** An hour whose headers and edit list say ten minutes. */
export async function hourThatClaimsTenMinutes(corpus: Corpus): Promise<string> {
  const source = await long(corpus, 3600)
  return await corpus.file('hour-as-ten-minutes.mp4', async (path) =>
    writeFile(path, scaleClaims(await readFile(source), 1 / 6)),
  )
}
