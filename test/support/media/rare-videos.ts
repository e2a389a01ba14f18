// Honest recordings off the beaten track: what cameras, phones, browsers and tools write besides a plain MP4.

import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from './corpus.ts'
import { setMatrix } from './mp4-bytes.ts'
import { AAC, mp4, PLACE, type Recording, recorded, rewrapped, TONE, VP8, X264 } from './recordings.ts'
import { lesson } from './videos.ts'

/** An MP4 held upside down: the matrix turns it by half. */
export async function upsideDown(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('upside-down.mp4', async (path) => writeFile(path, setMatrix(await readFile(source), 180)))
}

/** Ten-bit HEVC in PQ, the other of the two curves that phones and cameras write. */
export function pqMov(corpus: Corpus): Promise<string> {
  const color = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc']
  return recorded(corpus, 'pq.mov', { seconds: 2 }, [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p10le',
    '-tag:v',
    'hvc1',
    '-x265-params',
    'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc',
    ...color,
    ...AAC,
  ])
}

/** A camera that splits its recording: the second file's times begin anew, and somebody joined the two. */
export async function joinedTransportStreams(corpus: Corpus, recording: Recording = { seconds: 3 }): Promise<string> {
  const part = await recorded(corpus, `part-${recording.seconds}.ts`, recording, [...X264, ...AAC])
  return await corpus.file(`joined-${recording.seconds}.ts`, async (path) => {
    await copyFile(part, path)
    await appendFile(path, await readFile(part))
  })
}

/** A call recorded by a browser: the picture becomes smaller when the line does. */
export async function resizedCall(corpus: Corpus): Promise<string> {
  const vp8 = [...VP8, '-c:a', 'libopus']
  const parts = [
    await recorded(corpus, 'call-large.webm', { seconds: 2 }, vp8),
    await recorded(corpus, 'call-small.webm', { seconds: 2, picture: 'testsrc2=s=160x90:r=25' }, vp8),
  ]
  const list = await corpus.file('call.txt', (path) =>
    writeFile(path, parts.map((part) => `file '${part}'\n`).join('')),
  )
  return await corpus.file('call.webm', (path) => ffmpeg('-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', path))
}

/** A phone that writes words of its own behind the last box. */
export async function withTrailer(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { faststart: false })
  return await corpus.file('trailer.mp4', async (path) =>
    writeFile(path, Buffer.concat([await readFile(source), Buffer.from('\0\0\xff\xa0MotionPhoto_Data SEFT')])),
  )
}

/** QuickTime without a type box, as cameras wrote it: begins with `wide`, the media, then the index. */
export async function oldQuickTime(corpus: Corpus): Promise<string> {
  const source = await recorded(corpus, 'quicktime.mov', {}, [...X264, '-c:a', 'pcm_s16le'])
  return await corpus.file('old.mov', async (path) => {
    const bytes = await readFile(source)
    bytes.write('wide', 4, 'latin1')
    await writeFile(path, bytes)
  })
}

/** A lesson with a picture of its cover. */
export async function covered(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  const cover = await corpus.file('cover.png', (path) =>
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=0.04:r=25', '-frames:v', '1', path),
  )
  return await corpus.file('covered.mp4', (path) =>
    ffmpeg(
      ['-i', source, '-i', cover, '-map', '0', '-map', '1', '-c', 'copy'],
      ['-disposition:v:1', 'attached_pic', '-movflags', '+faststart', path],
    ),
  )
}

/** Subtitles that tell where it was filmed, a place in the header as two phones write it, a name, and chapters. */
export async function talkative(corpus: Corpus, extension: 'mp4' | 'mkv'): Promise<string> {
  const source = await lesson(corpus)
  const words = await corpus.file('places.srt', (path) =>
    writeFile(path, `1\n00:00:00,000 --> 00:00:03,000\nGPS ${PLACE}\n`),
  )
  const about = await corpus.file('about.txt', (path) =>
    writeFile(
      path,
      `;FFMETADATA1\ntitle=SECRET-TITLE\nartist=SECRET-NAME\ncom.apple.quicktime.location.ISO6709=${PLACE}\n` +
        `creation_time=2024-05-17T08:30:00Z\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=SECRET-CHAPTER\n`,
    ),
  )
  const attached = extension === 'mkv' ? ['-attach', words, '-metadata:s:t', 'mimetype=text/plain'] : []
  return await corpus.file(`talkative.${extension}`, (path) =>
    ffmpeg(
      ['-i', source, '-i', words, '-i', about, '-map', '0', '-map', '1', '-map_metadata', '2', ...attached],
      ['-c', 'copy', '-c:s', extension === 'mp4' ? 'mov_text' : 'srt'],
      ...(extension === 'mp4' ? ['-timecode', '00:00:00:00'] : []),
      ['-metadata:s:v', 'handler_name=SECRET-CAMERA', '-metadata:s:a', 'title=SECRET-TRACK'],
      ['-movflags', '+use_metadata_tags+faststart', path],
    ),
  )
}

/** One picture, and ten seconds of speech to it. */
export async function pictureWithSpeech(corpus: Corpus): Promise<string> {
  const speech = await recorded(corpus, 'speech.m4a', { seconds: 10, picture: null }, AAC)
  const picture = await recorded(corpus, 'picture.mp4', { seconds: 0.04, sounds: [] }, X264)
  return await corpus.file('picture-with-speech.mp4', (path) =>
    ffmpeg('-i', picture, '-i', speech, '-map', '0', '-map', '1', '-c', 'copy', '-movflags', '+faststart', path),
  )
}

/** A web camera that needs a moment to wake up: one black picture, the only keyframe of the whole file. */
export function wakingCamera(corpus: Corpus): Promise<string> {
  const waking = "testsrc2=s=320x180:r=25,drawbox=t=fill:c=black:enable='lt(n,2)'"
  return recorded(corpus, 'waking.mp4', { seconds: 6, picture: waking }, [
    ...X264,
    '-g',
    '9999',
    '-sc_threshold',
    '0',
    ...AAC,
    '-movflags',
    '+faststart',
  ])
}

/** Two sounds: the room, and the teacher's microphone. */
export function twoSounds(corpus: Corpus): Promise<string> {
  return mp4(corpus, 'two-sounds.mp4', { sounds: [TONE, 'sine=f=880:r=48000'] })
}

/** Pixels that are not square, as on DV tape. */
export function anamorphic(corpus: Corpus): Promise<string> {
  return mp4(corpus, 'anamorphic.mp4', { picture: 'testsrc2=s=360x288:r=25,setsar=16/11' })
}

/** Frames in two halves, as camcorders filmed. */
export function interlaced(corpus: Corpus): Promise<string> {
  return recorded(corpus, 'interlaced.mts', { picture: 'testsrc2=s=320x240:r=25' }, [
    '-c:v',
    'mpeg2video',
    '-flags',
    '+ilme+ildct',
    '-top',
    '1',
    '-b:v',
    '800k',
    '-c:a',
    'ac3',
    '-f',
    'mpegts',
    '-mpegts_m2ts_mode',
    '1',
  ])
}

/** A stream received in the eleventh hour of a broadcast. */
export function lateStart(corpus: Corpus): Promise<string> {
  return recorded(corpus, 'late.ts', {}, [...X264, ...AAC, '-output_ts_offset', '36000'])
}

/** The lesson's index in another order: a container kept as it is, wrapped anew by an editor. */
export async function editorsMov(corpus: Corpus): Promise<string> {
  return await rewrapped(corpus, await lesson(corpus), 'editor.mov')
}
