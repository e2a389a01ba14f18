// Robustness: several requests for one upload at the same time.
import type { Exchange } from '../exchange.ts'
import { answered, expectThat, succeeded } from '../expect.ts'
import { type Harness, pause } from '../harness.ts'
import { type Check, Deviation, rule, type Section } from '../model.ts'
import { describeRefusals, resume, settledOffset } from '../uploads.ts'
import type { Connection } from '../wire/connection.ts'
import { field } from '../wire/message.ts'

const totalBytes = 256 * 1024
const variants = [0, 1, 2, 3]

export const robustConcurrency: Section = {
  key: 'robust-concurrency',
  title: 'Robustness: concurrent requests',
  rules: [
    rule('ROBUST', 'same-offset', 'Of several concurrent PATCHes at one offset one counts, and no bytes are mixed', {
      'sent at once': sameOffset({ headsFirst: false }),
      'all begun before the first byte of a body, then in turns': sameOffset({ headsFirst: true }),
    }),
    rule('ROBUST', 'head-during-patch', 'HEAD during a PATCH is answered, with an offset that stays valid', {
      'in bounded time': async (t) => {
        const upload = await t.create({ length: totalBytes })
        const connection = await t.open(upload.url)
        const running = t.begin(connection, t.patchSpec(upload, 0, t.payload.bytes(0, totalBytes)))
        await connection.flush(t.payload.bytes(0, totalBytes / 2), t.options.timeoutMs)
        const asked = await t.head(upload)
        const status = answered(asked, 'an answer to HEAD while a PATCH runs').status
        expectThat(succeeded(asked) || status === 423, '2xx or 423', asked.got, asked)
        const seen = Number(field(answered(asked), 'Upload-Offset') ?? '0')
        t.note(`HEAD took ${asked.elapsedMs} ms: ${asked.got}`)
        expectThat(seen <= totalBytes / 2, `an offset up to ${totalBytes / 2}`, asked.got, asked)
        await connection.flush(t.payload.bytes(totalBytes / 2, totalBytes), t.options.timeoutMs)
        const ended = await running()
        const whole = ended.response && field(ended.response, 'Upload-Offset') === `${totalBytes}`
        t.note(`the PATCH ${whole ? 'went on' : 'was ended'}: ${ended.got}`)
        const offset = await settledOffset(t, upload)
        expectThat(offset >= seen, `an offset from ${seen} on`, String(offset))
        if (offset < totalBytes) await resume(t, upload, totalBytes, t.options.takeoverMs)
        await t.expectContent(upload, t.payload.bytes(0, totalBytes))
      },
    }),
    rule(
      'ROBUST',
      'delete-during-patch',
      'DELETE during a PATCH is answered, and the upload is deleted or continues',
      {
        'in bounded time': async (t) => {
          const upload = await t.create({ length: totalBytes })
          const connection = await t.open(upload.url)
          const running = t.begin(connection, t.patchSpec(upload, 0, t.payload.bytes(0, totalBytes)))
          await connection.flush(t.payload.bytes(0, totalBytes / 2), t.options.timeoutMs)
          const deleted = await t.send({ method: 'DELETE', url: upload.url })
          t.note(`DELETE took ${deleted.elapsedMs} ms: ${deleted.got}`)
          const { status } = answered(deleted, 'an answer to DELETE while a PATCH runs')
          expectThat(status < 500, 'an answer below 500', deleted.got, deleted)
          await connection.flush(t.payload.bytes(totalBytes / 2, totalBytes), t.options.timeoutMs)
          await running()
          const after = (await t.head(upload)).response?.status ?? 0
          const expected = status === 204 ? [404, 410] : [200, 204, 423]
          expectThat(expected.includes(after), `HEAD ${expected.join(' or ')}`, `HEAD ${after}`, deleted)
        },
      },
      { needs: ['termination'] },
    ),
    rule('ROBUST', 'creations', 'Uploads created concurrently are different uploads', {
      'sixteen POSTs': async (t) => {
        const uploads = await Promise.all(Array.from({ length: 16 }, () => t.create()))
        const urls = new Set(uploads.map(({ url }) => url.href))
        expectThat(urls.size === 16, '16 URLs', `${urls.size} URLs`)
      },
    }),
  ],
}

/** Four PATCHes with different bytes, their bodies sent in turns of a quarter. */
function sameOffset({ headsFirst }: { readonly headsFirst: boolean }): Check {
  return async (t) => {
    const upload = await t.create({ length: totalBytes })
    const bodies = variants.map((variant) => t.payload.bytes(0, totalBytes, variant))
    const begun: Array<{ connection: Connection; answer: (timeoutMs?: number) => Promise<Exchange> }> = []
    for (const connection of await Promise.all(bodies.map(() => t.open(upload.url)))) {
      const body = bodies[begun.length] ?? Buffer.alloc(0)
      begun.push({ connection, answer: t.begin(connection, t.patchSpec(upload, 0, body)) })
    }
    if (headsFirst) await pause(300)
    for (let from = 0; from < totalBytes; from += totalBytes / 4) {
      for (const [index, { connection }] of begun.entries()) {
        connection.write(bodies[index]?.subarray(from, from + totalBytes / 4) ?? Buffer.alloc(0))
      }
    }
    judge(t, await Promise.all(begun.map(({ answer }) => answer(t.options.takeoverMs))))
    const offset = await settledOffset(t, upload)
    expectThat(offset <= totalBytes, `an offset up to ${totalBytes}`, String(offset))
    if (offset < totalBytes) await resume(t, upload, totalBytes, t.options.takeoverMs)
    const read = await t.readBack(upload, totalBytes)
    if (!read) return
    const rest = t.payload.bytes(offset, totalBytes)
    const whole = bodies.some((body) => Buffer.concat([body.subarray(0, offset), rest]).equals(read.body))
    expectThat(whole, `the first ${offset} bytes from one of the PATCHes`, 'bytes of several mixed')
  }
}

function judge(t: Harness, ended: readonly Exchange[]): void {
  t.note(describeRefusals(ended.map((x) => `${x.response?.status ?? x.got}`)))
  const failed = ended.find((x) => x.response && x.response.status >= 500)
  if (failed) throw new Deviation('no answer of 500 and more', failed.got, failed.request)
  const whole = ended.filter(
    (x) => succeeded(x) && x.response && field(x.response, 'Upload-Offset') === `${totalBytes}`,
  )
  expectThat(whole.length <= 1, 'at most one PATCH that claims all bytes', `${whole.length} of them`, whole[1])
}
