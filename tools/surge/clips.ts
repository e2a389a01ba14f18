// The real videos in the files of a surge: few, short and made once, so that making them is no load.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ffmpeg } from '../../test/support/media/corpus.ts'
import { UsageError } from '../lib/usage.ts'

const SECONDS = [2, 3, 4]

/** MP4s with picture and sound, index first; a higher CRF (x264's default is 23) makes them smaller. */
export async function makeClips(crf = 23): Promise<Buffer[]> {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-surge-'))
  try {
    const clips: Buffer[] = []
    for (const seconds of SECONDS) {
      const path = join(dir, `${seconds}.mp4`)
      await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=15:d=${seconds}`],
        ['-f', 'lavfi', '-i', `sine=r=48000:d=${seconds}`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '15'],
        ['-crf', String(crf), '-c:a', 'aac', '-b:a', '48k'],
        ['-movflags', '+faststart', path],
      )
      clips.push(await readFile(path))
    }
    return clips
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new UsageError('ffmpeg is not installed; `npm start` installs it.')
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
