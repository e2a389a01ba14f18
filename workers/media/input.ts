// The options before `-i` for a hostile file: the allowed demuxers, decoders and protocols, and their limits. Playlists,
// concat scripts and subtitles that name other files or hosts are refused because their demuxers are not allowed.

import type { Container } from '../../src/core/identify.ts'
import type { LocalSource } from './source.ts'

/** ffmpeg's names of the allowed demuxers; each includes its family ("mov" is also mp4 and 3gp). */
const DEMUXERS = 'mov,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg'

/** Decoders for the formats of cameras, phones, recorders and video editors. */
const DECODERS = [
  'h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,mpeg4,mpeg1video,mpeg2video,h263,mjpeg,mjpegb,prores,dvvideo,dnxhd,cfhd',
  'wmv1,wmv2,wmv3,vc1,mss2,msmpeg4,msmpeg4v1,msmpeg4v2,flv,vp6,vp6f,vp6a,theora,cinepak,svq1,svq3,rpza,qtrle,png,tscc',
  'huffyuv,ffvhuff,ffv1,rawvideo,utvideo,magicyuv,lagarith,fraps,zmbv,cscd,tscc2,g2m,mss1,msvideo1,msrle,flashsv,flashsv2',
  'v210,v410,r210,ayuv,hap,hq_hqa,asv1,asv2,zlib,mszh',
  'aac,aac_latm,mp3,mp3float,mp2,mp2float,ac3,eac3,dca,opus,libopus,vorbis,flac,alac,amrnb,amrwb,wmav1,wmav2,wmapro',
  'wmavoice,wmalossless,wavpack,truehd,mlp,tta,gsm,gsm_ms,g722,g726,g726le,qdm2',
  'pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,pcm_s64be,pcm_u8,pcm_s8,pcm_u16le,pcm_u16be',
  'pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd',
  'adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,adpcm_yamaha,speex,nellymoser',
].join(',')

/** Codecs (ffprobe's names) whose decoders have another name. */
const DECODABLE: ReadonlySet<string> = new Set([...DECODERS.split(','), 'amr_nb', 'amr_wb', 'flv1', 'vp6a', 'hq_hqa'])

/** Whether we decode a codec (ffprobe's name). */
export function isDecodable(codec: string): boolean {
  return DECODABLE.has(codec)
}

/** A frame of 8K; 199 KB of H.264 can declare a frame that needs 745 MB to decode. */
const MAX_PIXELS = 40_000_000
/** Most video and audio streams of one file that are read. */
export const MAX_STREAMS = 16
/** Most streams of any kind: subtitles in many languages, chapters and telemetry are only counted. */
const MAX_ALL_STREAMS = 256

/** The demuxer, if the first bytes decide it; null if ffmpeg must detect it. */
const FORCED: Partial<Record<Container, string>> = {
  mp4: 'mov',
  mov: 'mov',
  '3gp': 'mov',
  matroska: 'matroska',
  webm: 'matroska',
  avi: 'avi',
  mpegts: 'mpegts',
  mpegps: 'mpeg',
  asf: 'asf',
  flv: 'flv',
  ogg: 'ogg',
}

export type InputOptions = {
  container: Container
  /** Ignore the edit list: for files whose edit list contradicts their samples. MP4 and MOV only. */
  ignoreEditList?: boolean
  /**
   * Allow all decoders, for runs that only describe streams. The tools refuse the complete file because of one stream
   * that they may not open, so a lesson with subtitles or a second audio track in a rare codec would count as unreadable.
   */
  anyDecoder?: boolean
  /** Further options for this input, before `-i` (`-ss`, `-skip_frame`…). */
  extra?: readonly string[]
}

/**
 * The hardened options of one input, `-i` and its name included; the same for ffmpeg and ffprobe.
 *
 * @returns arguments, to be followed by output options
 */
export function inputArgs(source: LocalSource, options: InputOptions): string[] {
  return [...inputOptions(options), '-i', inputName(source)]
}

/** The argument after `-i`: with its protocol, so that no name can be taken for another one. */
export function inputName(source: LocalSource): string {
  return `file:${source.path}`
}

/** {@link inputArgs} without `-i` and the name. */
export function inputOptions(options: InputOptions): string[] {
  const forced = FORCED[options.container]
  return [
    ['-protocol_whitelist', 'file'],
    ['-format_whitelist', DEMUXERS],
    options.anyDecoder ? [] : ['-codec_whitelist', DECODERS],
    ['-max_streams', String(MAX_ALL_STREAMS)],
    ['-max_pixels', String(MAX_PIXELS)],
    ['-probesize', '50M'],
    ['-analyzeduration', '300M'],
    forced === 'mov' ? ['-enable_drefs', '0', '-use_absolute_path', '0'] : [],
    forced === 'mov' && options.ignoreEditList ? ['-ignore_editlist', '1'] : [],
    forced ? ['-f', forced] : [],
    options.extra ?? [],
  ].flat()
}
