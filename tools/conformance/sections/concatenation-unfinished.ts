// Extension concatenation: final uploads of parts that are not complete yet.
import { expectAbsent, expectHeader, expectOffset, expectRefused, expectStatus } from '../expect.ts'
import type { Harness } from '../harness.ts'
import { rule, type Section, Skip } from '../model.ts'
import { assembled, createPartial, postFinal } from '../partials.ts'

export const concatenationUnfinished: Section = {
  key: 'concat-unfinished',
  title: 'Concatenation: unfinished parts',
  extension: 'concatenation-unfinished',
  rules: [
    rule(
      'MUST',
      'announced',
      'A server that joins parts still in progress announces concatenation-unfinished',
      {
        'without it such a request is refused': async (t) => {
          if (!t.announces('concatenation')) throw new Skip('the server announces no concatenation')
          if (t.announces('concatenation-unfinished')) return
          expectRefused(await postFinal(t, [await createPartial(t, 0, 2000, 1100)]))
        },
      },
      { always: true },
    ),
    rule('MAY', 'early', 'A client may create the final upload before its parts are complete', {
      'one of two parts is missing bytes': async (t) => {
        const { first, second } = await earlyParts(t)
        expectStatus(await postFinal(t, [first, second]), 201)
      },
    }),
    rule('SHOULD', 'no-offset', 'HEAD on the final upload has no Upload-Offset before it is joined', {
      'one of two parts is missing bytes': async (t) =>
        expectAbsent(await t.head((await early(t)).final), 'Upload-Offset'),
    }),
    rule('MUST', 'length-known', 'HEAD has Upload-Length if the length of the final upload can be computed', {
      'parts of known length, one unfinished': async (t) => {
        expectHeader(await t.head((await early(t)).final), 'Upload-Length', String(t.options.sizeBytes))
      },
    }),
    rule('MUST', 'joined-later', 'Once the parts are complete, Upload-Offset equals Upload-Length', {
      'after the last byte of the last part': async (t) => {
        const size = t.options.sizeBytes
        const { final, second } = await early(t)
        await t.mustPatch(second, 100, t.payload.bytes(size / 2 + 100, size))
        expectOffset(await assembled(t, final), size)
        await t.expectContent(final, t.payload.bytes(0, size))
      },
    }),
  ],
}

/** A complete first half, and a second half at offset 100. */
async function earlyParts(t: Harness) {
  const size = t.options.sizeBytes
  const first = await createPartial(t, 0, size / 2)
  const second = await createPartial(t, size / 2, size, 100)
  return { first, second }
}

async function early(t: Harness) {
  const { first, second } = await earlyParts(t)
  return { final: t.uploadOf(await postFinal(t, [first, second]), t.options.sizeBytes), second }
}
