// The teacher's page says what comes next and nothing that could be misread: whose request it is, until when, what is still to
// be done, and what the check of a file is not. In the light and in the dark, in forced colours and on paper.

import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { pdf } from '../support/media/pdfs.ts'
import { openStaffRoom, type StaffRoom, VIDEO } from './support/staff-room.ts'

const PLAN = 'lesson_plan'
const OUTCOMES = 'student_outcome'
const NAME = 'นางสาวสมหญิง ใจดี'

describe.skipIf(!chromiumAvailable())('what the page of a session says', () => {
  let room: StaffRoom
  beforeAll(async () => {
    room = await openStaffRoom()
  })
  afterAll(async () => await room?.close())
  afterEach(async () => {
    expect(await room.leave()).toEqual([])
  })

  test('after one file of four, and keeps the focus where the file is', async () => {
    const { url } = await room.session({ can: ['read', 'upload', 'seal'], metadata: { name: NAME } })
    const user = await room.teacher({ url, screen: 'phone' })
    const { page } = user
    await user.says(page.locator('.heading'), `ผู้ยื่นคำขอ: ${NAME}`)
    const input = page.locator(`#choose-${PLAN}`)
    await input.focus()
    await input.setInputFiles(room.plan)
    await user.says(page.locator('.tray'), /^ยังขาดอีก 3 รายการ$/)
    await user.says(user.card(PLAN), /^ไฟล์ใช้ได้/)
    const inElement = `document.querySelector('songngan-upload').shadowRoot`
    const place = `${inElement}.activeElement.closest('.card')?.id`
    expect(await page.evaluate(place)).toBe(`slot-${PLAN}`)
    await user.says(page.locator('.tray'), 'ยังไม่ได้ยื่นคำขอ')
    expect(await page.locator('body').textContent()).not.toMatch(/ปิดหน้านี้ได้|ผ่านเกณฑ์/)
    expect(await user.barriers()).toEqual([])
    await user.shot('next-missing', 'window')
    await page.locator('.tray').getByRole('button', { name: 'ดูรายการ' }).click()
    expect(await page.evaluate(place)).toBe(`slot-${VIDEO}`)
    // Nothing that is gone to lies under what stands at the foot of the window.
    const covered = `(() => {
      const button = ${inElement}.querySelector('.summary .seal .button')
      button.scrollIntoView({ block: 'end' })
      const { left, top, width, height } = button.getBoundingClientRect()
      return !button.contains(${inElement}.elementFromPoint(left + width / 2, top + height - 2))
    })()`
    expect(await page.evaluate(covered)).toBe(false)

    for (const media of [{ colorScheme: 'dark' }, { forcedColors: 'active' }] as const) {
      await page.emulateMedia({ ...media, reducedMotion: 'reduce' })
      expect(await user.barriers(), JSON.stringify(media)).toEqual([])
      await user.shot(`next-${Object.values(media)[0]}`)
    }
    await page.emulateMedia({ media: 'print', colorScheme: 'light', forcedColors: 'none' })
    for (const hidden of ['.tray', '.actions', '.language'])
      expect(await page.locator(hidden).first().isVisible(), hidden).toBe(false)
    await user.shot('next-print')
  })

  test('of a document of an office program, and of the same file twice', async () => {
    const { url } = await room.session()
    const user = await room.teacher({ url, screen: 'phone' })
    await user.page.waitForSelector('.card')
    const docx = await room.corpus.file('แผนการสอน.docx', (path) =>
      writeFile(path, Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(5000)])),
    )
    await user.choose(PLAN, docx)
    await user.says(user.card(PLAN), /^ไฟล์นี้เป็น DOCX ช่องนี้รับเฉพาะ PDF โปรดเปิดไฟล์ในโปรแกรมเดิม เลือก “บันทึกเป็น PDF”/)
    const outcome = await pdf(room.corpus, 'ผลงาน.pdf', { pages: 2 })
    const card = user.card(OUTCOMES)
    await user.choose(OUTCOMES, outcome)
    await user.says(card, /^ไฟล์ใช้ได้/)
    await card.locator('.adding input').setInputFiles(outcome)
    await user.says(card, /^ไฟล์นี้เหมือนกับ “ผลงาน.pdf” ที่ส่งในช่องนี้แล้ว ไม่ต้องส่งซ้ำ/)
    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
    expect(await user.barriers()).toEqual([])
    await user.shot('next-twice')
  })

  test('in grace: what was begun goes on until then, and what was not cannot be begun', async () => {
    const { url, id } = await room.session()
    const plan = await room.stack.user(id, PLAN)
    await plan.create({ length: 1000, name: 'แผน.pdf' })
    const deadline = new Date()
    await room.stack.portal.putSubmission(id, {
      profile: 'teacher.K2@1',
      deadline: deadline.toISOString(),
      graceSeconds: 7200,
    })
    const user = await room.teacher({ url, screen: 'phone' })
    const closes = new Date(deadline.getTime() + 9 * 3_600_000).toISOString().slice(11, 16)
    await user.says(user.card(PLAN), new RegExp(`^โปรดส่งให้เสร็จภายใน .+ เวลา ${closes}\\sน\\.$`))
    expect(await user.card(PLAN).locator('input[type=file]').count()).toBe(1)
    await user.says(user.card(VIDEO), 'เลยเวลาปิดรับแล้ว เริ่มส่งไฟล์ใหม่ในช่องนี้ไม่ได้')
    expect(await user.card(VIDEO).locator('input[type=file]').count()).toBe(0)
    expect(await user.barriers()).toEqual([])
    await user.shot('next-grace')
    await user.card(VIDEO).getByRole('button', { name: 'เคยพยายามส่งก่อนเวลาปิดรับ' }).click()
    await user.says(user.card(VIDEO), /^ไม่พบว่าเคยส่งในช่องนี้ก่อนเวลาปิดรับ/)
  })
})
