// Honest videos of the kinds that teachers send, a few seconds long.

import { readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from './corpus.ts'
import { setMatrix } from './mp4-bytes.ts'
import { VP8, X264 } from './recordings.ts'

export type LessonOptions = {
  seconds?: number
  /** The index comes first. */
  faststart?: boolean
  size?: `${number}x${number}`
  framesPerSecond?: number
  /** Frames from one keyframe to the next. */
  gop?: number
  audio?: 'tone' | 'silence' | 'none'
  picture?: 'moving' | 'black' | 'still'
}

/** An MP4 with H.264 and AAC, as ffmpeg, HandBrake and most cameras write it. */
export function lesson(corpus: Corpus, options: LessonOptions = {}): Promise<string> {
  const {
    seconds = 4,
    faststart = true,
    size = '320x180',
    framesPerSecond = 25,
    gop = 25,
    audio = 'tone',
    picture = 'moving',
  } = options
  const name = `lesson-${seconds}-${faststart}-${size}-${framesPerSecond}-${gop}-${audio}-${picture}.mp4`
  const pictures = {
    moving: `testsrc2=s=${size}:r=${framesPerSecond}:d=${seconds}`,
    black: `color=black:s=${size}:r=${framesPerSecond}:d=${seconds}`,
    still: `smptebars=s=${size}:r=${framesPerSecond}:d=${seconds}`,
  }
  const sounds = {
    tone: ['-f', 'lavfi', '-i', `sine=d=${seconds}:r=48000`],
    silence: ['-f', 'lavfi', '-i', `anullsrc=r=48000:cl=mono:d=${seconds}`],
    none: [],
  }
  return corpus.file(name, (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', pictures[picture], ...sounds[audio], '-t', String(seconds)],
      [...X264, '-g', String(gop), '-c:a', 'aac', '-metadata', 'location=+18.5745+099.0087/'],
      ['-movflags', faststart ? '+use_metadata_tags+faststart' : '+use_metadata_tags'],
      path,
    ),
  )
}

/** A phone held upright: HEVC and AAC in a MOV, stored lying, with the matrix for a quarter turn clockwise and a place. */
export function phoneMov(corpus: Corpus): Promise<string> {
  return corpus.file('phone.mov', async (path) => {
    await ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30:d=3', '-f', 'lavfi', '-i', 'sine=d=3:r=44100'],
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-tag:v', 'hvc1'],
      ['-pix_fmt', 'yuv420p', '-g', '30', '-c:a', 'aac', '-metadata', 'location=+18.5745+099.0087/', path],
    )
    await writeFile(path, setMatrix(await readFile(path), 90))
  })
}

/** The same kind of phone, filming in high dynamic range with six channels. */
export function hdrMov(corpus: Corpus): Promise<string> {
  const color = ['-color_primaries', 'bt2020', '-color_trc', 'arib-std-b67', '-colorspace', 'bt2020nc']
  return corpus.file('hdr.mov', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30:d=2'],
      ['-f', 'lavfi', '-i', 'aevalsrc=0.1*sin(440*t)|0.1|0|0|0|0:c=5.1:d=2'],
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1'],
      ['-x265-params', 'log-level=error:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc'],
      [...color, '-c:a', 'aac', path],
    ),
  )
}

/** A screen recording streamed to disk: no duration anywhere, as the writer could not go back to fill it in. */
export function streamed(corpus: Corpus, format: 'matroska' | 'webm'): Promise<string> {
  const codecs = format === 'matroska' ? [...X264, '-c:a', 'aac'] : [...VP8, '-b:v', '200k', '-c:a', 'libopus']
  return corpus.file(`streamed.${format}`, (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=3', '-f', 'lavfi', '-i', 'sine=d=3:r=48000'],
      [...codecs, '-f', format, '-live', '1', path],
    ),
  )
}

/** MP4 in fragments, as browsers record it: the movie header knows no duration. */
export async function fragmented(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('fragmented.mp4', (path) =>
    ffmpeg('-i', source, '-c', 'copy', '-movflags', '+frag_keyframe+empty_moov+default_base_moof', path),
  )
}

/** The start cut off without encoding: the samples from the keyframe before the cut stay, hidden by the edit list. */
export async function headTrimmed(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { seconds: 6, gop: 75 })
  return await corpus.file('head-trimmed.mp4', (path) => ffmpeg('-ss', '1.4', '-i', source, '-c', 'copy', path))
}

/** A screen recording whose frames come when something moves. */
export function variableRate(corpus: Corpus): Promise<string> {
  return corpus.file('variable.mp4', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', "testsrc2=s=320x180:r=60:d=3,select='lt(t,1)+not(mod(n,7))'"],
      ['-fps_mode', 'vfr', '-enc_time_base', '1/600', ...X264, '-g', '60', path],
    ),
  )
}

/** A camcorder's transport stream, MPEG-2 and AC-3. */
export function transportStream(corpus: Corpus): Promise<string> {
  return corpus.file('camcorder.ts', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=3', '-f', 'lavfi', '-i', 'sine=d=3:r=48000'],
      ['-c:v', 'mpeg2video', '-b:v', '500k', '-c:a', 'ac3', '-f', 'mpegts', path],
    ),
  )
}

/** An old camera's AVI. */
export function avi(corpus: Corpus): Promise<string> {
  return corpus.file('camera.avi', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=2', '-f', 'lavfi', '-i', 'sine=d=2:r=48000'],
      ['-c:v', 'mpeg4', '-c:a', 'mp3', path],
    ),
  )
}

/** Sound with a cover picture: one video stream that is none. */
export async function coverPicture(corpus: Corpus): Promise<string> {
  return await corpus.file('cover.mp4', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'sine=d=2:r=48000', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=0.04:r=25'],
      ['-map', '0', '-map', '1', '-c:a', 'aac', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'],
      ['-disposition:v:0', 'attached_pic', path],
    ),
  )
}
