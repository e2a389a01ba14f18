// The teacher's page in a real browser sends through proxies that have nobody to ask, over lines that die, beside other
// pages of the same session, where no events get through, and when its time is over.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { startTcpProxy } from '../support/proxy.ts'
import { MOST_RECEIVED, openStaffRoom, SLOW_BYTES_PER_SECOND, type StaffRoom, VIDEO } from './support/staff-room.ts'

/** Longer than the page waits for a byte to go out or a word to come in. */
const PATIENCE_MS = 110_000
/** Enough for a busy machine to begin the film, which takes thrice as long. */
const SHORT_SECONDS = 30
/** The page asks so often where it is told nothing. */
const POLL_MS = 5000

describe.skipIf(!chromiumAvailable())('a file on its way from the page of a session', () => {
  let room: StaffRoom
  beforeAll(async () => {
    room = await openStaffRoom()
  })
  afterAll(async () => await room?.close())
  afterEach(async () => {
    expect(await room.leave()).toEqual([])
  })

  // tus-js-client 4.3.1 begins again from byte 0 after any HEAD answer but 2xx and 423.
  test('does not begin anew because a proxy has nobody to ask', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await user.choose(VIDEO, room.film)
    await room.share(0.1, before)
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
    await waitFor(() => answers.length === 0, { what: 'a second try' })
    await user.card(VIDEO).getByRole('button', { name: 'ลองใหม่ทันที' }).click()
    await user.says(user.card(VIDEO), /^ไฟล์ใช้ได้/)
    const methods = user.requests.map(({ method }) => method)
    expect(methods).toEqual(['POST', 'PATCH', 'HEAD', 'HEAD', 'HEAD', 'PATCH'])
    expect(await room.stack.portal.uploads(id)).toHaveLength(1)
  })

  test('goes on after a line that died without a word', async () => {
    const { url } = await room.session()
    const line = await startTcpProxy(room.stack.service.url)
    try {
      const user = await room.teacher({ url: url.replace(room.stack.service.url, line.url) })
      await user.page.clock.install()
      await user.page.reload()
      await user.page.waitForSelector('.card')
      line.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
      const before = await room.receivedBytes()
      await user.choose(VIDEO, room.film)
      await room.share(0.1, before)
      line.set({ halfOpen: true })
      await user.page.clock.fastForward(PATIENCE_MS)
      await user.says(user.card(VIDEO), /^การเชื่อมต่อสะดุด จะลองใหม่ใน \d วินาที$/)
      line.cut()
      line.reset()
      await user.says(user.card(VIDEO), /^ไฟล์ใช้ได้/)
      // It may ask once more while the line is dead.
      const sent = user.requests.map(({ method }) => method).filter((method) => method !== 'HEAD')
      expect(sent).toEqual(['POST', 'PATCH', 'PATCH'])
      expect((await room.receivedBytes()) - before).toBeLessThanOrEqual(room.filmBytes * MOST_RECEIVED)
    } finally {
      await line.stop()
    }
  })

  test('is on record although nobody could be asked: the page files what it tried, and says what is known', async () => {
    const { dataDir, url: base } = room.stack.service
    const [from, to] = [900_000, 600_000].map((ago) => new Date(Date.now() - ago).toISOString())
    await mkdir(join(dataDir, 'store/outages'), { recursive: true })
    const entry = { schema: 1, id: 'before', from, to, affected: 'all', seenBy: 'service' }
    await writeFile(join(dataDir, 'store/outages/before.json'), JSON.stringify(entry))
    const isTold = async () =>
      ((await (await fetch(`${base}/v1/status`)).json()) as { outages: object[] }).outages.length > 0
    await waitFor(isTold, { what: 'the outage in the status' })
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.says(user.page.locator('.content'), /^ระบบใช้งานไม่ได้ตั้งแต่ .+ ถึง .+ หน้านี้จะแจ้งให้ระบบทราบเอง$/)
    await user.page.route('**/tickets', (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }),
    )
    await user.choose('lesson_plan', room.plan)
    await user.says(user.card('lesson_plan'), /^การเชื่อมต่อสะดุด จะลองใหม่ใน \d+ วินาที$/)
    const claimed = async () => {
      const { text } = await room.stack.call('GET', `/v1/submissions/${id}/attempts`)
      return (JSON.parse(text).items as { outcome: string }[]).filter(({ outcome }) => outcome === 'claimed')
    }
    await waitFor(async () => (await claimed()).length > 0, { what: 'the attempt that the page claims' })
    const [first] = await claimed()
    expect(first).toMatchObject({ slot: 'lesson_plan', code: 'HTTP_502', outage: null })
    await user.page.unroute('**/tickets')
    await user.says(user.card('lesson_plan'), /^ไฟล์ใช้ได้/)
    expect(await user.barriers()).toEqual([])
    await rm(join(dataDir, 'store/outages'), { recursive: true })
  })

  test('hears that another page has taken a file over, and leaves it alone', async () => {
    const { url } = await room.session()
    const [first, second] = [await room.teacher({ url }), await room.teacher({ url })]
    await Promise.all([first, second].map(({ page }) => page.waitForSelector('.card')))
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await first.choose(VIDEO, room.film)
    await room.share(0.1, before)
    await second.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await second.choose(VIDEO, room.film)
    await first.says(first.card(VIDEO), 'หน้าอื่นหรือเครื่องอื่นกำลังส่งไฟล์นี้ต่อ')
    await second.line({})
    await second.says(second.card(VIDEO), /^ไฟล์ใช้ได้/)
    await first.says(first.card(VIDEO), /^ไฟล์ใช้ได้/)
    expect(first.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
  })

  test('is cancelled from another page, and stays cancelled', async () => {
    const { url, id } = await room.session()
    const first = await room.teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await room.receivedBytes()
    await first.choose(VIDEO, room.film)
    await room.share(0.05, before)
    const second = await room.teacher({ url })
    await second.says(second.card(VIDEO), /^(ส่งค้างไว้ ยังไม่ครบ|กำลังส่งจากหน้าอื่น)/)
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND, offline: true })
    await first.says(first.card(VIDEO), /^อินเทอร์เน็ตขาดหาย/)
    await second.card(VIDEO).getByRole('button', { name: 'ยกเลิก' }).click()
    await second.says(second.page.locator('dialog'), /^ส่วนที่ส่งแล้วของ “การสอน .+” จะถูกลบ/)
    expect(await second.barriers()).toEqual([])
    await second.page.locator('dialog').getByRole('button', { name: 'ยกเลิกการส่ง' }).click()
    await second.says(second.card(VIDEO), 'ยังไม่มีไฟล์')
    await first.line({})
    await first.says(first.card(VIDEO), 'ยังไม่มีไฟล์')
    expect((await room.stack.portal.uploads(id)).map(({ state }) => state)).toEqual(['cancelled'])
    expect(first.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD'])
  })

  test('is told verdicts where no stream of events gets through', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.page.clock.install()
    await user.page.route('**/events?*', (route) => route.abort())
    await user.page.reload()
    await user.says(user.page.locator('.content'), /^กำลังเชื่อมต่อใหม่/)
    await user.choose('lesson_plan', room.plan)
    const isJudged = async () => (await room.stack.portal.uploads(id))[0]?.accepted
    await waitFor(isJudged, { what: 'the verdict' })
    await user.page.clock.fastForward(POLL_MS)
    await user.says(user.card('lesson_plan'), /^ไฟล์ใช้ได้/)
  })

  test('says that its time is over, and what to do', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url })
    await user.page.waitForSelector('.card')
    // Its parts are kept by the browser now: the seconds go to the film.
    await user.page.goto(`${room.stack.service.url}/openapi.json`)
    await user.page.goto((await room.shortSession(id, SHORT_SECONDS)).url)
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, room.film)
    await user.says(user.page.locator('.notice'), 'หน้านี้หมดเวลาใช้งานแล้ว')
    await user.says(user.page.locator('.notice'), /^ไฟล์ที่กำลังส่งยังส่งต่อได้จนเสร็จ/)
    expect(await user.page.locator('input[type=file]').count()).toBe(0)
    await user.line({})
    await user.says(user.page.locator('.tray'), 'ไฟล์ส่งถึงระบบแล้ว')
    expect((await room.stack.portal.uploads(id)).map(({ receivedBytes: all }) => all)).toEqual([room.filmBytes])
    expect(await user.barriers()).toEqual([])
    const stranger = await room.teacher({ url: `${room.stack.service.url}/portal`, locale: 'en-GB' })
    await stranger.says(stranger.page.locator('.notice'), 'Open this page from your system')
    expect(await stranger.barriers()).toEqual([])
  })
})
