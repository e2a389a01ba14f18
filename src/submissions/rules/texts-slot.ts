// Texts of the problems of a slot, beyond those of its files; and of what only reviewers are told.

import type { ProblemCode } from './codes.ts'
import type { Texts } from './facts.ts'
import { kindName, moment } from './format.ts'

export const SLOT_TEXTS = {
  SLOT_OVERFULL: ({ name, limit, actual, kind }) => ({
    th: `${name.th}${kind ? `ที่เป็น${kindName(kind).th}` : ''}มี ${actual} ไฟล์ เกินที่กำหนด ${limit} ไฟล์ ระบบนับเฉพาะไฟล์ที่ส่งก่อน โปรดลบไฟล์ที่ไม่ใช้`,
    en: `There are ${actual} files ${kind ? `(${kindName(kind).en}) ` : ''}as ${name.en}; the limit is ${limit}. The earliest ones count. Delete the files that you do not need.`,
  }),
  STORED_TOO_LATE: ({ name, limit, actual }) => ({
    th: `${name.th}ส่งเสร็จเมื่อ ${moment(actual).th} หลังเวลาปิดรับ ${moment(limit).th} จึงเก็บไว้แต่ไม่นับ โปรดติดต่อเจ้าหน้าที่หากมีการขยายเวลา`,
    en: `The ${name.en} arrived on ${moment(actual).en}, after the deadline of ${moment(limit).en}; it is kept but does not count. Ask your office whether the deadline is extended.`,
  }),
  METADATA_MISSING: ({ name, field }) => ({
    th: `${name.th}ยังไม่ได้กรอก “${field.th}” โปรดกรอกให้ครบก่อนยื่น`,
    en: `“${field.en}” of the ${name.en} is empty. Fill it in before you hand in.`,
  }),
  DUPLICATE_ELSEWHERE: ({ name, actual }) => ({
    th: `${name.th}มีเนื้อไฟล์ตรงกันทุกไบต์กับไฟล์ในคำขอของผู้อื่น (${actual}) โปรดพิจารณาว่าเป็นงานของผู้ใด`,
    en: `The ${name.en} is the same, byte for byte, as a file that another person handed in (${actual}). Decide whose work it is.`,
  }),
} satisfies Partial<Texts<ProblemCode>>
