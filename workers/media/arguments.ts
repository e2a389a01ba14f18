// ffmpeg's arguments for a rendition, built with fluent-ffmpeg, which is used for nothing else.
//
// The project was required to use this library; it has not been maintained since May 2025. Its runner kills a process
// without waiting for it, its progress event starts a second ffprobe without the options against hostile files, and its
// ffprobe reads the text format that a title can forge. So it never runs anything here: it only composes the argument
// list, and run.ts runs it. To replace the library, replace `assemble` below; no other code uses it.

import ffmpeg from 'fluent-ffmpeg'
import { toneMapFilters } from './picture.ts'
import type { VideoPlan } from './plan.ts'
import { commonArgs } from './run.ts'

export type TranscodeCommand = {
  plan: VideoPlan
  /** Hardened options of the input, in front of `-i`; see input.ts. */
  inputOptions: readonly string[]
  /** `file:/…` */
  input: string
  /** Absolute path of the new file, ending in `.mp4`. */
  outputPath: string
  /** For decoder, filters and encoder each. */
  threads: number
}

/**
 * The argument list of a transcode, to be run by the runner.
 *
 * @returns ffmpeg's arguments without the program's name
 */
export function buildTranscode(command: TranscodeCommand): string[] {
  const { plan, threads } = command
  return assemble(
    command.input,
    // `-y`: the file of an attempt that failed is overwritten; the library adds it only to names without `file:`.
    ['-y', ...commonArgs('warning'), '-threads', String(threads), ...command.inputOptions],
    [
      ['-map', `0:${plan.video.index}`],
      plan.audio ? ['-map', `0:${plan.audio.index}`] : [],
      // No metadata (author, place, camera), no chapters, no subtitles, no telemetry.
      ['-map_metadata', '-1'],
      ['-map_chapters', '-1'],
      ['-dn', '-sn'],
      videoOptions(plan, threads),
      audioOptions(plan),
      ['-max_muxing_queue_size', '4096'],
      ['-movflags', '+faststart'],
      ['-f', 'mp4'],
    ].flat(),
    `file:${command.outputPath}`,
  )
}

/** Private in the library's types: the argument list that it would run. */
type ArgumentList = { _getArguments(): string[] }

function assemble(input: string, inputOptions: string[], outputOptions: string[], output: string): string[] {
  // Always the form with an array: a single string would be split at spaces.
  const command = ffmpeg(input).inputOptions(inputOptions).outputOptions(outputOptions).output(output)
  return (command as unknown as ArgumentList)._getArguments()
}

function videoOptions(plan: VideoPlan, threads: number): string[] {
  if (plan.video.how === 'copy') return ['-c:v', 'copy']
  const { crf, preset, maxVideoBitsPerSecond } = plan.rendition
  return [
    ['-vf', videoFilters(plan.video).join(',')],
    ['-c:v', 'libx264'],
    ['-preset', preset],
    ['-crf', String(crf)],
    ['-profile:v', 'high'],
    ['-pix_fmt', 'yuv420p'],
    ['-maxrate', String(maxVideoBitsPerSecond)],
    ['-bufsize', String(maxVideoBitsPerSecond * 2)],
    // A keyframe every two seconds, because reviewers often seek in a lesson.
    ['-force_key_frames', 'expr:gte(t,n_forced*2)'],
    ['-threads', String(threads)],
    ['-filter_threads', String(threads)],
  ].flat()
}

/** The order matters: ffmpeg rotates the picture first; then scaling down makes the following filters cheaper. */
function videoFilters(video: Extract<VideoPlan['video'], { how: 'encode' }>): string[] {
  return [
    video.deinterlace ? 'bwdif=mode=send_frame' : [],
    video.framesPerSecond === null ? [] : `fps=${video.framesPerSecond}`,
    // Many players show a full-range video too dark or too bright.
    `scale=${video.width}:${video.height}:out_range=tv`,
    'setsar=1',
    toneMapFilters(video.toneMap),
    'format=yuv420p',
  ].flat()
}

function audioOptions({ audio, rendition }: VideoPlan): string[] {
  if (audio === null) return ['-an']
  if (audio.how === 'copy') return ['-c:a', 'copy']
  return [
    ['-c:a', 'aac'],
    ['-b:a', String(rendition.audioBitsPerSecond)],
    ['-ac', String(audio.channels)],
    ['-ar', '48000'],
    // Keeps sound with picture across gaps in a recording.
    ['-af', 'aresample=async=1:first_pts=0'],
  ].flat()
}
