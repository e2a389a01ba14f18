// Formats durations, sizes, dates and formats in Thai and English.

import type { Bilingual } from '../../core/errors.ts'
import type { MediaKind } from '../../core/identify.ts'

/** `60:47`: minutes and seconds, no hours, since limits are in minutes. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** A duration in words: "47 วินาที" / "47 s", "60 นาที" / "60 minutes", "2 นาที 5 วินาที" / "2 min 5 s". */
export function span(seconds: number): Bilingual {
  if (seconds < 1) return { th: `${decimals(seconds)} วินาที`, en: `${decimals(seconds)} s` }
  const whole = Math.floor(seconds)
  const minutes = Math.floor(whole / 60)
  const rest = whole % 60
  if (minutes === 0) return { th: `${rest} วินาที`, en: `${rest} s` }
  if (rest === 0) return { th: `${minutes} นาที`, en: minutes === 1 ? '1 minute' : `${minutes} minutes` }
  return { th: `${minutes} นาที ${rest} วินาที`, en: `${minutes} min ${rest} s` }
}

/** The excess over a limit, consistent with the shown values. */
export function excess(actualSeconds: number, limitSeconds: number): Bilingual {
  const shown = Math.floor(actualSeconds) - limitSeconds
  return span(shown >= 1 ? shown : actualSeconds - limitSeconds)
}

/** Steps of 1024, named KB, MB, GB, as in file managers. */
export function bytes(count: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${decimals(value)} ${units[unit]}`
}

/** At most one decimal. */
export function decimals(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** A time in Thai time zone, with the Buddhist year in Thai. */
export function moment(iso: string): Bilingual {
  const when = new Date(iso)
  const options = { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'Asia/Bangkok' } as const
  return {
    th: `${new Intl.DateTimeFormat('th-TH-u-ca-buddhist', options).format(when)} น.`,
    en: `${new Intl.DateTimeFormat('en-GB', options).format(when)} (Thai time)`,
  }
}

const KINDS: Record<MediaKind, Bilingual> = {
  video: { th: 'วีดิทัศน์', en: 'video' },
  pdf: { th: 'PDF', en: 'PDF' },
  image: { th: 'รูปภาพ', en: 'picture' },
  audio: { th: 'ไฟล์เสียง', en: 'sound file' },
  other: { th: 'ไฟล์ชนิดอื่น', en: 'file of another type' },
}

export function kindName(kind: MediaKind): Bilingual {
  return KINDS[kind]
}

export function kindNames(kinds: readonly MediaKind[]): Bilingual {
  return {
    th: kinds.map((kind) => KINDS[kind].th).join(' หรือ '),
    en: kinds.map((kind) => KINDS[kind].en).join(' or '),
  }
}

/** A Map, since names come from files: an object would have `constructor`. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['matroska', 'MKV'],
  ['webm', 'WebM'],
  ['mpegts', 'MPEG-TS'],
  ['mpegps', 'MPEG'],
  ['asf', 'WMV'],
  ['zip', 'ZIP / DOCX / PPTX'],
  ['ole', 'DOC / PPT / XLS'],
  ['archive', 'RAR / 7Z / GZ'],
  ['h264', 'H.264'],
  ['hevc', 'H.265 (HEVC)'],
  ['vp8', 'VP8'],
  ['vp9', 'VP9'],
  ['mpeg4', 'MPEG-4 Part 2'],
  ['opus', 'Opus'],
])

/** The common name of a container or codec; unknown ones in capitals. */
export function formatName(name: string): string {
  return FORMATS.get(name) ?? name.toUpperCase()
}

export function formatNames(names: readonly string[]): string {
  return names.map(formatName).join(', ')
}
