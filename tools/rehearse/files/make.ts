// Makes the file of a planned upload, and its expected verdict.

import type { PlannedUpload } from '../plan/plan.ts'
import { FileMaker, type RehearsalFile } from './rehearsal-file.ts'
import { shapeOf } from './shapes.ts'

/** @param clips MP4s with the index in front; @param run makes the files of two runs differ */
export function fileFactory(clips: readonly Buffer[], run: string): (plan: PlannedUpload) => RehearsalFile {
  const maker = new FileMaker()
  return (plan) => {
    const nth = plan.kind === 'pdf' ? 0 : plan.number % clips.length
    const clip = clips[nth] ?? Buffer.alloc(0)
    const name = [plan.kind, plan.damage, nth, plan.fileBytes].join(' ')
    return maker.file(name, shapeOf(plan, clip), `${run} ${plan.number}`)
  }
}

export function metadataOf({ kind, number }: PlannedUpload, run: string): Record<string, string> {
  const [name, filetype] =
    kind === 'pdf' ? [`แผนการจัดการเรียนรู้ ${number}.pdf`, 'application/pdf'] : [`วีดิทัศน์การสอน ${number}.mp4`, 'video/mp4']
  return { filename: name, filetype, fingerprint: `${run}-${number}` }
}

export const SLOT_OF = { video: 'teaching_video', pdf: 'lesson_plan' } as const

/** The expected verdict. */
export function expectedVerdict({ damage }: PlannedUpload): 'accepted' | 'rejected' {
  return damage === 'none' ? 'accepted' : 'rejected'
}
