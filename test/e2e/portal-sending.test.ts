// The teacher's page in a real browser sends a film over lines that break, through proxies that have nobody to ask, and
// from one machine after the other; and next to nothing of it is sent twice.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { lesson } from '../support/media/videos.ts'
import {
  openStaffRoom,
  SLOW_BYTES_PER_SECOND,
  type StaffRoom,
  VERDICT_MS,
  VIDEO,
} from './support/staff-room.ts'

/** What may be received more than once when a line is cut: next to nothing. */
const MOST_RECEIVED = 1.02

describe.skipIf(!chromiumAvailable())('a file on its way from the page of a session', () => {
  let room: StaffRoom
  beforeAll(async () => {
    room = await openStaffRoom()
  })
  afterAll(async () => await room?.close())
  afterEach(async () => {
    expect(await room.leave()).toEqual([])
  })

  test('loses the line in the middle of a file and goes on by itself', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url, screen: 'phone' })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await user.choose(VIDEO, room.film)
    await room.share(0.25, before)
    await user.says(user.card(VIDEO), /เหลือราว \d+ วินาที/)
    await user.says(user.page.locator('.tray'), 'เปิดหน้านี้ไว้จนกว่าจะส่งเสร็จ')
    expect(await user.page.title()).toMatch(/^\d+% · /)
    expect(await user.screenLocks()).toBe(1)
    expect(await user.barriers()).toEqual([])
    await user.card(VIDEO).scrollIntoViewIfNeeded()
    await user.shot('phone-sending', 'window')

    await user.line({ offline: true })
    await user.says(user.card(VIDEO), 'อินเทอร์เน็ตขาดหาย จะส่งต่อเองเมื่อกลับมา')
    await user.shot('phone-offline', 'window')
    expect(await user.page.locator('#announcements').textContent()).not.toBe('')
    await user.line({})
    await user.says(user.page.locator('.tray'), 'ส่งถึงระบบครบแล้ว ปิดหน้านี้ได้')
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ผ่าน')
    expect(await user.screenLocks()).toBe(0)

    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH'])
    expect(user.requests[3]?.offset).toBeGreaterThan(room.filmBytes / 4)
    expect((await room.receivedBytes()) - before).toBeLessThanOrEqual(room.filmBytes * MOST_RECEIVED)
    expect(await room.house.portal.uploads(id)).toHaveLength(1)
  })

  // tus-js-client 4.3.1 begins again from byte 0 after any HEAD answer but 2xx and 423.
  test('does not begin anew because a proxy has nobody to ask', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await user.choose(VIDEO, room.film)
    await room.share(0.25, before)
    await user.card(VIDEO).getByRole('button', { name: 'หยุดชั่วคราว' }).click()
    await user.says(user.card(VIDEO), 'หยุดไว้ชั่วคราว')
    expect(await user.screenLocks()).toBe(0)
    // Only while it answers: a request with a body takes long to be looked through.
    const answers = [502, 503]
    await user.page.route('**/files/*', async (route) => {
      const status = answers.shift()
      await route.fulfill({ status: status ?? 500, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' })
      if (answers.length === 0) await user.page.unroute('**/files/*')
    })
    await user.line({})
    await user.card(VIDEO).getByRole('button', { name: 'ส่งต่อ' }).click()
    await user.says(user.card(VIDEO), /^การเชื่อมต่อสะดุด จะลองใหม่ใน \d วินาที$/)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    const methods = user.requests.map(({ method }) => method)
    expect(methods).toEqual(['POST', 'PATCH', 'HEAD', 'HEAD', 'HEAD', 'PATCH'])
    expect(await room.house.portal.uploads(id)).toHaveLength(1)
  })

  test('is left in the middle of a file, warns, and goes on with the same file chosen again', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    // Browsers ask before leaving only where somebody has touched the page.
    await user.page.locator('h1').click()
    await user.choose(VIDEO, room.film)
    await room.share(0.25, before)
    await user.page.reload()
    expect(user.warnings).toBe(1)
    await user.says(user.card(VIDEO), /^ส่งค้างไว้ เลือกไฟล์เดิมอีกครั้ง/)
    expect(await user.state(VIDEO)).toBe('ส่งค้างไว้')
    await user.shot('desktop-unfinished')

    const other = await lesson(room.corpus, { seconds: 3 })
    await user.choose(VIDEO, other)
    await user.says(user.card(VIDEO), /^ไฟล์ที่เลือกไม่ใช่ไฟล์เดิม/)
    await user.card(VIDEO).getByRole('button', { name: 'เอาออก' }).click()

    await user.line({})
    await user.choose(VIDEO, room.film)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH'])
    expect((await room.receivedBytes()) - before).toBeLessThanOrEqual(room.filmBytes * MOST_RECEIVED)
    expect(await room.house.portal.uploads(id)).toHaveLength(1)
    // Nothing is on its way: nobody is held back.
    await user.page.reload()
    expect(user.warnings).toBe(1)
  })

  test('goes on in another browser, in another language, with what the first has sent', async () => {
    const { url, id } = await room.session()
    const first = await room.teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await first.choose(VIDEO, room.film)
    await room.share(0.4, before)
    const second = await room.teacher({ url, locale: 'en-GB' })
    await second.says(second.card(VIDEO), /^(Unfinished|Being sent)/)
    await first.line({ offline: true })
    await first.close()
    await second.choose(VIDEO, room.film)
    await second.says(second.card(VIDEO), /^Passed/, VERDICT_MS)
    expect(second.requests.map(({ method }) => method)).toEqual(['HEAD', 'PATCH'])
    expect(second.requests[1]?.offset).toBeGreaterThan(room.filmBytes * 0.4)
    expect((await room.receivedBytes()) - before).toBeLessThanOrEqual(room.filmBytes * MOST_RECEIVED)
    expect(await room.house.portal.uploads(id)).toHaveLength(1)
  })

  test('hears that another page has taken a file over, and leaves it alone', async () => {
    const { url } = await room.session()
    const first = await room.teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await first.choose(VIDEO, room.film)
    await room.share(0.2, before)
    const second = await room.teacher({ url })
    await second.page.waitForSelector('.card')
    await second.choose(VIDEO, room.film)
    await second.says(second.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    await first.says(first.card(VIDEO), /^ผ่านเกณฑ์/)
    expect(first.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
  })

  test('is cancelled from another page, and stays cancelled', async () => {
    const { url, id } = await room.session()
    const first = await room.teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await first.choose(VIDEO, room.film)
    await room.share(0.1, before)
    const second = await room.teacher({ url })
    await second.says(second.card(VIDEO), /^(ส่งค้างไว้ เลือก|กำลังส่งจากหน้าอื่น)/)
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND, offline: true })
    await first.says(first.card(VIDEO), /^อินเทอร์เน็ตขาดหาย/)
    await second.page.reload()
    await second.card(VIDEO).getByRole('button', { name: 'ยกเลิก' }).click()
    await second.says(second.page.locator('dialog'), /^ยกเลิกการส่ง “การสอน/)
    await second.page.locator('dialog').getByRole('button', { name: 'ยืนยัน' }).click()
    await second.says(second.card(VIDEO), 'ยังไม่มีไฟล์')
    await first.line({})
    await first.says(first.card(VIDEO), 'ยังไม่มีไฟล์')
    expect((await room.house.portal.uploads(id)).map(({ state }) => state)).toEqual(['cancelled'])
    expect(first.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD'])
  })
})
