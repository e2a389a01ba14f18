// Sends one file for one slot with tus-js-client 4. By default that gives up after nine seconds, and begins again at byte 0 when a
// proxy answers 502. With these options it does neither.

import { Upload } from 'tus-js-client'
import { fingerprintOf, messageOf } from '../own-page/file.js'

const SLOT = 'lesson_plan'
/** A restart of the service, minutes without a line: after progress the count begins again. */
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 60_000]
const TEXTS = { 'upload.stored': 'ส่งครบแล้ว กำลังตรวจไฟล์', 'upload.accepted': 'ไฟล์ใช้ได้' }
const say = (text) => document.querySelector('output').replaceChildren(text)

const { service, submissionId, token } = await (await fetch('/session', { method: 'POST' })).json()
const { Songngan } = await import(`${service}/client/0.1/client.js`)
const songngan = new Songngan({ url: service, token })

/** Resolves when every byte is stored. */
async function send(file) {
  const metadata = { filename: file.name, filetype: file.type, fingerprint: await fingerprintOf(file) }
  // What was begun before a reload, in another browser or on another device is gone on with.
  const { items } = await songngan.uploads.list(submissionId, { slot: SLOT, state: 'receiving' })
  const uploadUrl = items.find(({ fingerprint }) => fingerprint === metadata.fingerprint)?.url
  let { ticket, tusEndpoint } = await songngan.tickets.create(submissionId, { slot: SLOT })
  await new Promise((onSuccess, onError) => {
    const upload = new Upload(file, {
      endpoint: tusEndpoint,
      uploadUrl,
      metadata,
      storeFingerprintForResuming: false, // the list above knows more than this browser
      retryDelays: RETRY_DELAYS_MS,
      onShouldRetry({ originalResponse, causingError }) {
        if (causingError?.isPassing === false) return false // no ticket any more
        const status = originalResponse?.getStatus() ?? 0
        return status < 400 || status >= 500 || [409, 423, 429].includes(status)
      },
      onAfterResponse(request, response) {
        // It takes a 5xx to HEAD for "gone", and begins again. What is thrown here counts as a lost connection.
        if (request.getMethod() === 'HEAD' && response.getStatus() >= 500) throw new Error('HEAD: try again')
      },
      async onBeforeRequest(request) {
        // Only a creation needs a ticket that is valid: what was begun goes on with an old one.
        if (request.getMethod() === 'POST') ({ ticket } = await songngan.tickets.create(submissionId, { slot: SLOT }))
        request.setHeader('Authorization', `Bearer ${ticket}`)
      },
      onProgress: (sent, total) => Object.assign(document.querySelector('progress'), { max: total, value: sent }),
      onError,
      onSuccess,
    })
    upload.start()
  })
}

const input = document.querySelector('input')
input.addEventListener('change', () => {
  send(input.files[0]).catch((error) => say(messageOf(error)))
})
input.disabled = false // the page has begun
for await (const { type, data } of songngan.events(submissionId)) {
  if (type in TEXTS) say(TEXTS[type])
  if (type === 'upload.rejected') say(data.problems.map(({ message }) => message.th).join(' '))
}
