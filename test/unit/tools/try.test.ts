// The parts of `npm run try` that read what others wrote: arguments, event streams, problem documents, webhooks.

import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import { problemCode, problemInWords } from '../../../tools/lib/problem.ts'
import { bytesInWords, timeInWords } from '../../../tools/lib/words.ts'
import { parseTryArgs } from '../../../tools/try/args.ts'
import { readEvents } from '../../../tools/try/stream.ts'
import { Bell } from '../../../tools/try/trial.ts'
import { receiveWebhooks, type WebhookReceiver } from '../../../tools/try/webhooks.ts'

describe('arguments', () => {
  it('without any, two files are made', () => {
    expect(parseTryArgs([])).toMatchObject({
      file: undefined,
      profile: 'teacher.K4',
      waitMs: 50_000,
      json: false,
    })
  })
  it('takes a file with its slot and profile', () => {
    const args = parseTryArgs(['my.mp4', '--slot', 'inspiration_video', '--profile', 'teacher.K3', '--wait', '60'])
    expect(args).toMatchObject({
      file: { path: 'my.mp4', slot: 'inspiration_video' },
      profile: 'teacher.K3',
      waitMs: 60_000,
    })
  })
  it.each([
    [['my.mp4'], 'Which slot is my.mp4 for?'],
    [['--slot', 'teaching_video'], '--slot needs a file'],
    [['a.mp4', 'b.mp4', '--slot', 'x'], 'One file at a time'],
    [['--wait', '0'], '--wait must be a number'],
    [['--fast'], '--fast'],
  ])('refuses %j', (args, words) => {
    expect(() => parseTryArgs(args)).toThrow(words)
  })
})

describe('readEvents', () => {
  it('puts events together however the stream is cut, and passes over comments', async () => {
    const text = ': beat\n\nid: e1\nevent: upload.stored\ndata: {"a":\ndata: 1}\n\ndata: {"b":2}\n\nevent: half\n'
    for (const size of [1, 7, text.length]) {
      async function* pieces() {
        for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
      }
      const events = []
      for await (const event of readEvents(pieces())) events.push(event)
      expect(events).toEqual([
        { type: 'upload.stored', data: { a: 1 } },
        { type: 'message', data: { b: 2 } },
      ])
    }
  })
})

describe('problems', () => {
  const body = JSON.stringify({
    code: 'X',
    message: { th: 'ไทย', en: 'English.' },
    limit: ['mp4', 'mov'],
    actual: 3,
  })
  it('are said in both languages, with limit and actual value', () => {
    expect(problemInWords(body)).toBe('X: ไทย English. (limit mp4, mov, found 3)')
    expect(problemCode(body)).toBe('X')
  })
  it('of others are shown as they are', () => {
    expect(problemInWords('<html>502</html>')).toBe('<html>502</html>')
    expect(problemCode('<html>502</html>')).toBeUndefined()
    expect(problemCode('null')).toBeUndefined()
  })
})

describe('receiveWebhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
  let receiver: WebhookReceiver
  afterEach(() => receiver.close())

  const post = (key: string, event: object) => {
    const body = JSON.stringify(event)
    const now = new Date()
    return fetch(receiver.url, {
      method: 'POST',
      headers: {
        'webhook-id': 'evt_1',
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(key).sign('evt_1', now, body),
      },
      body,
    })
  }

  it('takes each signed event once and refuses the rest', async () => {
    let rung = 0
    receiver = await receiveWebhooks(secret, () => {
      rung += 1
    })
    expect((await post(secret, { id: 'evt_1', type: 'upload.stored' })).status).toBe(204)
    expect((await post(secret, { id: 'evt_1', type: 'upload.stored' })).status).toBe(204)
    const forged = await post(`whsec_${Buffer.alloc(32, 2).toString('base64')}`, { id: 'evt_2' })
    expect(forged.status).toBe(401)
    expect(receiver.events).toEqual([{ id: 'evt_1', type: 'upload.stored' }])
    expect(receiver).toMatchObject({ repeats: 1, refused: [expect.stringContaining('signature')] })
    expect(rung).toBe(2)
  })
})

describe('Bell', () => {
  it('asks again when rung, long before the time is over', async () => {
    const bell = new Bell()
    let yes = false
    const answer = bell.until(() => yes, 60_000)
    yes = true
    bell.ring()
    expect(await answer).toBe(true)
  })
  it('gives up', async () => {
    expect(await new Bell().until(() => false, 20)).toBe(false)
  })
})

describe('words', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [10 * 1024 ** 2, '10.0 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [3 * 1024 ** 4, '3.0 TiB'],
  ])('%d bytes', (bytes, words) => {
    expect(bytesInWords(bytes)).toBe(words)
  })
  it.each([
    [12.4, '12 ms'],
    [1300, '1.3 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
  ])('%d ms', (ms, words) => {
    expect(timeInWords(ms)).toBe(words)
  })
})
