// Robustness: connections that break, become silent, or continue too late.
import { expectStatus, expectThat } from '../expect.ts'
import { type Harness, pause, type Upload } from '../harness.ts'
import { type Check, Deviation, rule, type Section, Skip } from '../model.ts'
import { describeRefusals, type Resumed, resume, settledOffset } from '../uploads.ts'
import type { Connection } from '../wire/connection.ts'
import { encodeChunk } from '../wire/message.ts'

const totalBytes = 1024 * 1024
const sentBytes = totalBytes / 2

export const robustInterruptions: Section = {
  key: 'robust-interruptions',
  title: 'Robustness: interrupted connections',
  rules: [
    rule('ROBUST', 'broken', 'Of an interrupted PATCH, a contiguous beginning is kept and HEAD reports it', {
      'closed (FIN)': broken((connection) => connection.destroy()),
      'reset (RST)': broken((connection) => connection.reset()),
      'in the middle of a chunk': async (t) => {
        const upload = await t.create({ length: totalBytes })
        const connection = await t.open(upload.url)
        t.begin(connection, { ...t.patchSpec(upload, 0, Buffer.alloc(0)), framing: 'chunked' })
        const chunk = encodeChunk(t.payload.bytes(0, totalBytes))
        await connection.flush(chunk.subarray(0, sentBytes), t.options.timeoutMs)
        await pause(200)
        connection.destroy()
        await goesOn(t, upload)
      },
      'twice in a row': async (t) => {
        const upload = await t.create({ length: totalBytes })
        const first = await breakOff(t, upload, 0, sentBytes / 2)
        const second = await breakOff(t, upload, first, first + sentBytes / 2)
        expectThat(second >= first, `an offset from ${first} on`, String(second))
        await goesOn(t, upload)
      },
    }),
    rule('ROBUST', 'half-open', 'An upload whose client became silent can be taken over from another connection', {
      'in bounded time': async (t) => {
        const { upload } = await silent(t)
        const taken = await resume(t, upload, totalBytes, t.options.takeoverMs)
        report(t, taken)
        await t.expectOffsetStays(upload, totalBytes, 'the take-over')
        await t.expectContent(upload, t.payload.bytes(0, totalBytes))
        const [error] = taken.refusals.filter((refusal) => /^HEAD 5\d\d$/.test(refusal))
        if (error) throw new Deviation('no 5xx to HEAD on the way: clients restart from 0 on it', error)
      },
      'and late bytes of the old connection do no harm': async (t) => {
        const { upload, connection } = await silent(t)
        report(t, await resume(t, upload, totalBytes, t.options.takeoverMs))
        await connection.flush(t.payload.bytes(sentBytes, totalBytes, 5), t.options.timeoutMs)
        await connection.closedWithin(500)
        await t.expectOffsetStays(upload, totalBytes, 'late bytes of the old connection')
        await t.expectContent(upload, t.payload.bytes(0, totalBytes))
      },
    }),
    rule(
      'ROBUST',
      'half-open-delete',
      'An upload whose client became silent can be deleted',
      {
        'in bounded time': async (t) => {
          const { upload } = await silent(t)
          const startedAt = Date.now()
          let x = await t.send({ method: 'DELETE', url: upload.url, timeoutMs: t.options.takeoverMs })
          while (x.response?.status === 423 && Date.now() - startedAt < t.options.takeoverMs) {
            await pause(100)
            x = await t.send({ method: 'DELETE', url: upload.url, timeoutMs: t.options.takeoverMs })
          }
          t.note(`removed after ${Date.now() - startedAt} ms`)
          expectStatus(x, 204)
          expectStatus(await t.head(upload), 404, 410)
        },
      },
      { needs: ['termination'] },
    ),
    // The last check, because some servers crash here.
    rule('ROBUST', 'get', 'A client that disconnects during a GET, or right after it, does not affect the server', {
      'right after the last byte': leavesGet((bytes) => bytes),
      'in the middle': leavesGet((bytes) => bytes / 2),
    }),
  ],
}

/** Twenty GETs, each left once `enough` of the upload's bytes have come. */
function leavesGet(enough: (bytes: number) => number): Check {
  return async (t) => {
    if (!t.server.readBack) throw new Skip('the server gives no upload back by GET')
    const upload = await t.createComplete({ length: totalBytes })
    for (let round = 1; round <= 20; round += 1) {
      const connection = await t.open(upload.url)
      t.begin(connection, { method: 'GET', url: upload.url })
      const came = await connection.receivedWithin(enough(totalBytes), t.options.timeoutMs)
      expectThat(came, `an answer to GET number ${round}`, `${connection.unread} bytes`)
      connection.destroy()
    }
    await t.expectOffsetStays(upload, totalBytes, 'GETs that were left')
  }
}

function broken(end: (connection: Connection) => void): Check {
  return async (t) => {
    const upload = await t.create({ length: totalBytes })
    const kept = await breakOff(t, upload, 0, sentBytes, end)
    t.note(`${kept} of ${sentBytes} bytes kept`)
    await goesOn(t, upload)
  }
}

/** Sends [from, to) of a PATCH that promises the rest too, then ends the connection. Returns the offset then. */
async function breakOff(
  t: Harness,
  upload: Upload,
  from: number,
  to: number,
  end: (connection: Connection) => void = (connection) => connection.destroy(),
): Promise<number> {
  const connection = await t.open(upload.url)
  t.begin(connection, t.patchSpec(upload, from, t.payload.bytes(from, totalBytes)))
  await connection.flush(t.payload.bytes(from, to), t.options.timeoutMs)
  // The kernel has the bytes; the server gets some time to read them, because a reset would discard them.
  await pause(200)
  end(connection)
  const offset = await settledOffset(t, upload)
  expectThat(offset >= from && offset <= to, `an offset from ${from} to ${to}`, String(offset))
  return offset
}

/** The upload can be finished from where HEAD says it is, and then holds the right bytes. */
async function goesOn(t: Harness, upload: Upload): Promise<void> {
  await resume(t, upload, totalBytes, t.options.takeoverMs)
  await t.expectOffsetStays(upload, totalBytes, 'going on')
  await t.expectContent(upload, t.payload.bytes(0, totalBytes))
}

/** An upload whose PATCH got half of its bytes and now says nothing more, its connection still open. */
async function silent(t: Harness): Promise<{ upload: Upload; connection: Connection }> {
  const upload = await t.create({ length: totalBytes })
  const connection = await t.open(upload.url)
  t.begin(connection, t.patchSpec(upload, 0, t.payload.bytes(0, totalBytes)))
  await connection.flush(t.payload.bytes(0, sentBytes), t.options.timeoutMs)
  await pause(300)
  return { upload, connection }
}

function report(t: Harness, taken: Resumed): void {
  const onTheWay = taken.refusals.length > 0 ? `; on the way ${describeRefusals(taken.refusals)}` : ''
  t.note(`taken over after ${taken.elapsedMs} ms, ${taken.offset} of ${sentBytes} bytes kept${onTheWay}`)
}
