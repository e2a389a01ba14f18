// The print view of a receipt: one A4 page in Thai and English, with a QR code that leads to the public check page. Everything
// is in it, so that a saved page is whole; nothing is loaded.

import { createHash } from 'node:crypto'
import encodeQR from 'qr'
import type { Bilingual } from '../core/errors.ts'
import { bytes } from '../submissions/rules/format.ts'
import { PRINT_STYLE } from './print-style.ts'
import type { HandedFile, SubmissionClaims } from './submission-claims.ts'

export type PrintedReceipt = {
  claims: SubmissionClaims & { iat: number }
  /** Id of the key that signed it. */
  kid: string
  /** Address of the check page for this revision. */
  check: string
  /** The applicant, as the portal names the person; null: it does not. */
  name: string | null
  /** Position and rank of the profile; null: the profile is not known here. */
  profile: Bilingual | null
  /** Labels of slots, by their ids. */
  labels: Record<string, Bilingual>
  /** The newest revision of the submission. */
  newest: number
}

/** Beyond so many files the lines are closer, so that one page holds them. */
const ROOMY_FILES = 10
/** Modules of white around a QR code (ISO/IEC 18004). */
const QUIET_MODULES = 4

const SCRIPT = "document.getElementById('print').addEventListener('click',()=>print())"
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** For the header of the page: its own style and script, and nothing else. */
export const PRINT_CSP = [
  "default-src 'none'",
  `style-src ${hashOf(PRINT_STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The page as HTML. */
export function printView({ claims, kid, check, name, profile, labels, newest }: PrintedReceipt): string {
  const { uploads, revision, sealedBy } = claims
  const isLong = uploads.length > ROOMY_FILES
  const by =
    sealedBy === 'deadline'
      ? { th: 'ระบบยื่นให้เองเมื่อหมดเวลา', en: 'by itself, when the time was over' }
      : { th: 'ผู้ยื่นกดยื่น', en: 'by the applicant' }
  const facts = [
    fact('เลขที่คำขอ', 'Submission', escaped(claims.submission)),
    name === null ? '' : fact('ผู้ยื่นคำขอ', 'Applicant', escaped(name)),
    profile === null ? '' : fact('ตำแหน่งและวิทยฐานะ', 'Position and rank', both(profile)),
    fact('ยื่นครั้งที่', 'Revision', `${revision} <span class="soft">(${escaped(claims.profile)})</span>`),
    fact('ยื่นเมื่อ', 'Handed in', `${moment(claims.sealedAt)}<br>${both(by)}`),
    claims.creditedAt === null ? '' : fact('นับเป็นเวลาส่ง', 'Counts as sent', moment(claims.creditedAt)),
    claims.deadline === null ? '' : fact('ปิดรับ', 'Deadline', moment(claims.deadline)),
  ]
  const older =
    newest > revision
      ? `<p class="older">${both({
          th: `ไม่ใช่การยื่นครั้งล่าสุด คำขอถูกส่งคืนให้แก้ไข ขณะนี้เป็นครั้งที่ ${newest}`,
          en: `Not the newest revision: the submission was returned and is now at revision ${newest}`,
        })}</p>`
      : ''
  return `<!doctype html>
<html lang="th"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>ใบรับคำขอ ${escaped(claims.submission)}</title>
<style>${PRINT_STYLE}</style></head>
<body${isLong ? ' class="long"' : ''}>
<p class="screen"><button id="print" type="button">พิมพ์ หรือบันทึกเป็น PDF<span lang="en">Print, or save as PDF</span></button></p>
<main><header><div><h1>ใบรับคำขอ<span lang="en">Receipt of a submission</span></h1>${older}<dl>${facts.join('')}</dl></div>
<figure>${qrCode(check)}<figcaption>ตรวจสอบใบรับนี้<span lang="en">Check this receipt</span><small>${escaped(
    check.split('#')[0] ?? '',
  )}</small></figcaption></figure></header>
<table><thead><tr><th>ที่</th><th>ไฟล์ที่ยื่น<span lang="en">File</span></th><th>ขนาด<span lang="en">Size</span></th><th>ได้รับครบเมื่อ<span lang="en">Received in full</span></th></tr></thead>
${uploads.map((file, i) => rows(file, i + 1, labels[file.slot])).join('')}</table>
<footer><p>ระบบลงลายเซ็นดิจิทัลในใบรับนี้ ผู้ถือไฟล์สามารถเทียบ SHA-256 ของไฟล์กับใบรับได้ที่หน้าตรวจสอบ เวลาเป็นเวลาประเทศไทย ตามนาฬิกาของระบบ
<span lang="en">The service has signed this receipt. Whoever has a file can compare its SHA-256 on the check page. Times are Thai time, by the clock of the service.</span></p>
<p>ออกใบรับเมื่อ <span lang="en">Issued</span> ${moment(new Date(claims.iat * 1000).toISOString())} · ระบบที่ใช้ยื่น <span lang="en">Through</span> ${escaped(
    claims.portal,
  )} · กุญแจ <span lang="en">Key</span> <code>${escaped(kid)}</code></p></footer></main>
<script>${SCRIPT}</script></body></html>
`
}

function fact(th: string, en: string, html: string): string {
  return `<dt>${th}<span lang="en">${en}</span></dt><dd>${html}</dd>`
}

function rows(file: HandedFile, number: number, label: Bilingual | undefined): string {
  const sum =
    file.sha256 === null
      ? `<em>${both({ th: 'ยังไม่มี SHA-256 โปรดพิมพ์ใหม่ภายหลัง', en: 'no SHA-256 yet; print again later' })}</em>`
      : `<code>SHA-256 ${file.sha256}</code>`
  const remarks = [
    file.late ? both({ th: 'หลังเวลาปิดรับ ในช่วงผ่อนผัน', en: 'after the deadline, within grace' }) : '',
    file.repaired ? both({ th: 'เปลี่ยนไฟล์ในช่วงที่อนุญาต', en: 'replaced in the time to repair' }) : '',
  ].filter((remark) => remark !== '')
  return `<tbody><tr><td>${number}</td><td><strong>${both(label ?? { th: file.slot, en: file.slot })}</strong>
<span class="name"><bdi>${escaped(file.filename ?? '')}</bdi></span></td>
<td>${bytes(file.bytes)}<br><span class="soft">${new Intl.NumberFormat('en').format(file.bytes)}</span></td>
<td>${file.storedAt === null ? '' : moment(file.storedAt)}${remarks.map((remark) => `<p>${remark}</p>`).join('')}</td></tr>
<tr><td></td><td colspan="3">${sum}</td></tr></tbody>`
}

/** Thai, and English after it in smaller letters. */
function both({ th, en }: Bilingual): string {
  return th === en ? escaped(th) : `${escaped(th)} <span lang="en">${escaped(en)}</span>`
}

/** `30 พฤศจิกายน 2569 เวลา 16:30:05 น. 2026-11-30T16:30:05+07:00`: as Thai offices write it, and ISO 8601 of the same clock. */
function moment(iso: string): string {
  const at = new Date(iso)
  const day = new Intl.DateTimeFormat('th-TH-u-ca-buddhist-nu-latn', { dateStyle: 'long', timeZone: 'Asia/Bangkok' })
  // Thailand has no summer time: the wall clock is seven hours ahead all the year.
  const wall = new Date(at.getTime() + 7 * 3_600_000).toISOString().slice(0, 19)
  const th = `${day.format(at)} เวลา ${wall.slice(11)}\u00a0น.`
  return `<time datetime="${escaped(iso)}">${th} <span lang="en">${wall}+07:00</span></time>`
}

/** A QR code as SVG: one path, in squares of one unit. */
function qrCode(text: string): string {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES })
  const path = modules.flatMap((line, y) => line.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
  const size = modules.length
  return `<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="QR" shape-rendering="crispEdges"><path d="${path.join('')}"/></svg>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for HTML, also inside quotes. What would change the direction of what follows is left out. */
function escaped(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '').replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
}
