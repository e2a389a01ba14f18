// Extension expiration.
import { expectPresent, expectStatus, expectThat, succeeded } from '../expect.ts'
import { type Harness, pause, type Upload } from '../harness.ts'
import { Deviation, rule, type Section, Skip, untested } from '../model.ts'
import { field } from '../wire/message.ts'

const header = 'Upload-Expires'

export const expiration: Section = {
  key: 'expiration',
  title: 'Expiration',
  extension: 'expiration',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server that removes unfinished uploads announces expiration',
      {
        'where answers carry Upload-Expires': async (t) => {
          if (t.announces('expiration')) return
          const upload = await t.create()
          const patched = await t.patch(upload, 0, t.payload.bytes(0, 1100))
          for (const x of [upload.created, patched]) {
            if (x.response && field(x.response, header) !== undefined) {
              throw new Deviation('expiration in Tus-Extension', x.got, x.request)
            }
          }
        },
      },
      { always: true },
    ),
    rule('MUST', 'in-patch', 'Every answer to PATCH carries Upload-Expires while the upload is going to expire', {
      'the first PATCH': async (t) => {
        const x = await t.patch(await t.create(), 0, t.payload.bytes(0, 1100))
        expectStatus(x, 204)
        expectPresent(x, header)
      },
      'the second PATCH': async (t) => {
        const upload = await t.create()
        await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
        const x = await t.patch(upload, 1100, t.payload.bytes(1100, 1200))
        expectStatus(x, 204)
        expectPresent(x, header)
      },
    }),
    rule('MUST', 'in-post', 'The answer to POST carries Upload-Expires if the expiry is known by then', {
      'where HEAD or PATCH knows it too': async (t) => {
        const upload = await t.create()
        if (upload.created.response && field(upload.created.response, header) !== undefined) return
        const asked = await t.head(upload)
        const known = asked.response && field(asked.response, header)
        if (known === undefined) throw new Skip('nothing shows that the expiry is known before the first PATCH')
        throw new Deviation(`${header} in the answer to POST`, `none there, but HEAD says ${known}`)
      },
    }),
    rule('MAY', 'changes', 'The expiry may change', {
      'from POST to PATCH': async (t) => {
        const upload = await t.create()
        await pause(1_100)
        const x = await t.patch(upload, 0, t.payload.bytes(0, 1100))
        const [before, after] = [upload.created, x].map((one) => one.response && field(one.response, header))
        t.note(`POST: ${before ?? '(absent)'}, PATCH a second later: ${after ?? '(absent)'}`)
      },
    }),
    rule('SHOULD', 'gone', 'An expired upload is answered with 404, or 410 if the server still knows it', {
      HEAD: async (t) => {
        const upload = await expired(t)
        const x = await t.head(upload)
        t.note(`HEAD: ${x.got}`)
        expectStatus(x, 404, 410)
      },
      PATCH: async (t) => {
        const upload = await expired(t)
        const x = await t.patch(upload, 1100, t.payload.bytes(1100, t.options.sizeBytes))
        t.note(`PATCH: ${x.got}`)
        expectStatus(x, 404, 410)
      },
    }),
    rule('MUST', 'date', 'Upload-Expires is a date as in RFC 9110', {
      'an IMF-fixdate in the future': async (t) => {
        const x = await t.patch(await t.create(), 0, t.payload.bytes(0, 1100))
        const value = expectPresent(x, header)
        const date = new Date(value)
        const same = !Number.isNaN(date.getTime()) && date.toUTCString() === value
        expectThat(same, 'a date like Wed, 25 Jun 2014 16:00:00 GMT', `${header}: ${value}`, x)
        expectThat(date.getTime() > Date.now() - 60_000, 'a date in the future', `${header}: ${value}`, x)
      },
    }),
    untested(
      'SHOULD',
      'client',
      'The client checks Upload-Expires before it resumes, and starts again if the upload has expired',
      'binds the client',
    ),
  ],
}

/** An unfinished upload whose expiry has passed. Skips where that lies beyond the time given for it. */
async function expired(t: Harness): Promise<Upload> {
  const upload = await t.create()
  const x = await t.patch(upload, 0, t.payload.bytes(0, 1100))
  const value = x.response && succeeded(x) ? field(x.response, header) : undefined
  if (value === undefined) throw new Skip(`no ${header} to wait for`)
  const waitMs = new Date(value).getTime() - Date.now() + 1_500
  if (!(waitMs <= t.options.expiryWaitMs)) {
    throw new Skip(`it expires at ${value}; --expiry-wait allows ${t.options.expiryWaitMs / 1000} s`)
  }
  await pause(Math.max(0, waitMs))
  return upload
}
