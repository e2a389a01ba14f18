// Texts of the problems of PDFs.

import type { ProblemCode } from './codes.ts'
import type { Texts } from './facts.ts'

export const PDF_TEXTS = {
  PDF_DAMAGED: ({ name, actual }) =>
    actual === undefined
      ? {
          th: `${name.th}เป็นไฟล์ PDF ที่เสียหาย เปิดอ่านไม่ได้ โปรดบันทึกเป็น PDF ใหม่จากต้นฉบับ แล้วส่งอีกครั้ง`,
          en: `The ${name.en} is a damaged PDF that cannot be read. Save it as PDF again from the original and upload it.`,
        }
      : {
          th: `${name.th}เป็นไฟล์ PDF ที่เสียหาย หน้า ${actual} แสดงผลไม่ได้ โปรดบันทึกเป็น PDF ใหม่จากต้นฉบับ แล้วส่งอีกครั้ง`,
          en: `The ${name.en} is a damaged PDF: page ${actual} cannot be shown. Save it as PDF again from the original and upload it.`,
        },
  PDF_TOO_COMPLEX: ({ name }) => ({
    th: `${name.th}เป็นไฟล์ PDF ที่ซับซ้อนผิดปกติ โปรแกรมอ่าน PDF จะค้างเมื่อเปิด โปรดบันทึกหรือสั่งพิมพ์เป็น PDF ใหม่จากต้นฉบับ แล้วส่งอีกครั้ง`,
    en: `The ${name.en} is a PDF that is too complex: viewers hang when they open it. Save or print it as PDF again from the original and upload that.`,
  }),
  PDF_FLAWED: ({ name, actual }) => ({
    th: `${name.th}มีข้อผิดพลาดในหน้า ${actual} แต่ยังเปิดอ่านได้ โปรดเปิดดูหน้าดังกล่าวว่าเนื้อหาครบถ้วน หากไม่ครบ โปรดบันทึกเป็น PDF ใหม่ แล้วส่งอีกครั้ง`,
    en: `The ${name.en} has errors on page ${actual} but can be read. Check that nothing is missing on that page; otherwise save it as PDF again and upload it.`,
  }),
  PDF_UNCHECKED: ({ name }) => ({
    th: `${name.th}มีขนาดหรือความซับซ้อนมากจนระบบตรวจได้ไม่ครบทุกหน้า ยื่นได้ตามปกติ โปรดเปิดดูด้วยตนเองว่าอ่านได้ทุกหน้า`,
    en: `The ${name.en} is too large or too complex to check every page; it can be handed in. Please open it and check that all pages can be read.`,
  }),
  PDF_PASSWORD: ({ name }) => ({
    th: `${name.th}ตั้งรหัสผ่านไว้ กรรมการเปิดอ่านไม่ได้ โปรดบันทึกเป็น PDF ใหม่โดยไม่ใส่รหัสผ่าน แล้วส่งอีกครั้ง`,
    en: `The ${name.en} is protected by a password, so assessors cannot open it. Save it without a password and upload it again.`,
  }),
  PDF_RESTRICTED: ({ name }) => ({
    th: `${name.th}จำกัดสิทธิ์การพิมพ์หรือคัดลอก แต่เปิดอ่านได้ ยื่นได้ตามปกติ`,
    en: `The ${name.en} restricts printing or copying but can be read; it can be handed in as it is.`,
  }),
  PDF_TOO_MANY_PAGES: ({ name, limit, actual }) => ({
    th: `${name.th}มี ${actual} หน้า เกิน ${limit} หน้าไป ${actual - limit} หน้า โปรดลดให้เหลือไม่เกิน ${limit} หน้า แล้วส่งใหม่`,
    en: `The ${name.en} has ${actual} pages, ${actual - limit} over the limit of ${limit}. Shorten it to ${limit} pages and upload it again.`,
  }),
  PDF_TOO_FEW_PAGES: ({ name, limit, actual }) => ({
    th: `${name.th}มีเพียง ${actual} หน้า ต้องมีอย่างน้อย ${limit} หน้า โปรดตรวจดูว่าเลือกไฟล์ถูกต้อง แล้วส่งใหม่`,
    en: `The ${name.en} has only ${actual} pages; at least ${limit} are needed. Check that it is the right file and upload it again.`,
  }),
  PDF_ACTIVE_CONTENT: ({ name, actual }) => ({
    th: `${name.th}มีคำสั่งหรือไฟล์แฝงอยู่ภายใน (${actual}) ซึ่งไม่ปลอดภัยต่อผู้เปิดอ่าน โปรดเปิดไฟล์แล้วสั่งพิมพ์เป็น PDF ใหม่ จากนั้นส่งอีกครั้ง`,
    en: `The ${name.en} contains scripts or embedded files (${actual}) that are not safe for readers. Open it, print it to a new PDF, and upload that.`,
  }),
} satisfies Partial<Texts<ProblemCode>>
