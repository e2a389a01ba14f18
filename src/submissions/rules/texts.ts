// The text of every problem code: which file, the limit, the measured value, and what to do next.
// A code without a text in both languages does not compile.

import type { Bilingual } from '../../core/errors.ts'
import type { MediaKind } from '../../core/identify.ts'
import type { FileProblem, Severity } from '../../records/upload-record.ts'
import type { ProblemCode } from './codes.ts'
import type { ProblemFacts, Texts } from './facts.ts'
import { bytes, formatName, formatNames, kindName, kindNames } from './format.ts'
import { PDF_TEXTS } from './texts-pdf.ts'
import { SLOT_TEXTS } from './texts-slot.ts'
import { VIDEO_TEXTS } from './texts-video.ts'

const FILE_TEXTS = {
  UPLOAD_EMPTY: ({ name }) => ({
    th: `${name.th}เป็นไฟล์ว่าง ไม่มีข้อมูล โปรดตรวจดูว่าไฟล์ต้นฉบับเปิดได้ แล้วส่งใหม่`,
    en: `The ${name.en} is empty. Check that the original opens, then upload it again.`,
  }),
  UPLOAD_TOO_LARGE: ({ name, limit, actual }) => ({
    th: `${name.th}มีขนาด ${bytes(actual)} เกินขนาดสูงสุด ${bytes(limit)} โปรดลดขนาดไฟล์ แล้วส่งใหม่`,
    en: `The ${name.en} has ${bytes(actual)}, more than the limit of ${bytes(limit)}. Make it smaller and upload it again.`,
  }),
  TYPE_MISMATCH: ({ name, limit, actual, kind }) => ({
    th: `เนื้อไฟล์ของ${name.th}เป็น${found(kind, actual).th} ช่องนี้รับเฉพาะ${kindNames(limit).th} โปรดเลือกไฟล์ที่ถูกต้อง แล้วส่งใหม่ (การเปลี่ยนนามสกุลไฟล์ไม่ช่วย)`,
    en: `The content of the ${name.en} is of another type: ${found(kind, actual).en}. This slot takes ${kindNames(limit).en} only. Choose the right file and upload it; renaming it does not help.`,
  }),
  CONTAINER_NOT_ALLOWED: ({ name, limit, actual }) => ({
    th: `${name.th}เป็นไฟล์ ${formatName(actual)} ซึ่งไม่รับ โปรดแปลงเป็น ${formatNames(limit)} แล้วส่งใหม่ การแปลงไฟล์ไม่ถือเป็นการตัดต่อ`,
    en: `The ${name.en} is in ${formatName(actual)} format, which is not accepted. Convert it to ${formatNames(limit)} and upload it again; converting is not editing.`,
  }),
  CONTAINER_CONVERTED: ({ name, limit, actual }) => ({
    th: `${name.th}เป็นไฟล์ ${formatName(actual)} ซึ่งใช้ได้ ระบบจะแปลงเป็น ${formatNames(limit)} ให้ ไม่ต้องแปลงเอง`,
    en: `The ${name.en} is in ${formatName(actual)} format, which is accepted: it is converted to ${formatNames(limit)} for you. You need not convert it.`,
  }),
  INCOMPLETE_FILE: ({ name }) => ({
    th: `${name.th}ไม่สมบูรณ์ ข้อมูลในไฟล์ขาดหาย มักเกิดจากคัดลอกหรือบันทึกไม่เสร็จ โปรดเปิดไฟล์ต้นฉบับดูให้จบ คัดลอกใหม่ แล้วส่งอีกครั้ง`,
    en: `The ${name.en} is incomplete: part of it is missing, usually because copying or recording did not finish. Play the original to its end, copy it again, then upload it.`,
  }),
  KIND_LIMIT_EXCEEDED: ({ name, limit, actual, kind }) => ({
    th: `${name.th}ที่เป็น${kindName(kind).th}ส่งได้ไม่เกิน ${limit} ไฟล์ ไฟล์นี้เป็นไฟล์ที่ ${actual} หากต้องการใช้ไฟล์นี้ โปรดกด “เปลี่ยนไฟล์” ที่ไฟล์เดิม`,
    en: `At most ${limit} ${kindName(kind).en} may be handed in as ${name.en}; this one is number ${actual}. To use it, replace the other file with it.`,
  }),
  DUPLICATE_IN_SUBMISSION: ({ name, other }) => ({
    th: `${name.th}เป็นไฟล์เดียวกับที่ส่งไว้แล้วในช่อง “${other.th}” โปรดเลือกไฟล์ที่ถูกต้อง แล้วส่งใหม่`,
    en: `The ${name.en} is the same file as the one in “${other.en}”. Choose the right file and upload it.`,
  }),
  MALWARE: ({ name, actual }) => ({
    th: `พบโปรแกรมอันตรายใน${name.th} (${actual}) โปรดตรวจเครื่องคอมพิวเตอร์ด้วยโปรแกรมป้องกันไวรัส แล้วสร้างไฟล์ใหม่`,
    en: `Malware was found in the ${name.en} (${actual}). Check your computer with an antivirus program and create the file again.`,
  }),
} satisfies Partial<Texts<ProblemCode>>

/** @internal */
export const TEXTS: Texts<ProblemCode> = { ...FILE_TEXTS, ...VIDEO_TEXTS, ...PDF_TEXTS, ...SLOT_TEXTS }

/** The kind, or the format where the kind is `other`: “DOCX file” says more than “other”. */
function found(kind: MediaKind, container: string): Bilingual {
  if (kind !== 'other' || container === 'unknown') return kindName(kind)
  return { th: `ไฟล์ ${formatName(container)}`, en: `${formatName(container)} file` }
}

/** A problem with its text. `limit` and `actual` of the facts become its members. */
export function problemOf<C extends ProblemCode>(code: C, severity: Severity, facts: ProblemFacts[C]): FileProblem {
  const measures: Pick<FileProblem, 'limit' | 'actual'> = {}
  if ('limit' in facts) measures.limit = facts.limit
  if ('actual' in facts) measures.actual = facts.actual
  return { code, severity, message: TEXTS[code](facts), ...measures }
}
