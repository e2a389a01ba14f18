// Core protocol: OPTIONS.
import { expectPresent, expectStatus } from '../expect.ts'
import { rule, type Section, untested } from '../model.ts'
import { field } from '../wire/message.ts'

export const optionsSection: Section = {
  key: 'options',
  title: 'Core protocol: OPTIONS',
  rules: [
    rule('MAY', 'used', 'A client may ask OPTIONS for the configuration', {
      'the creation URL answers 204 or 200': async (t) => {
        expectStatus(await t.optionsRequest(), 200, 204)
      },
    }),
    rule('MUST', 'version', 'A successful answer (204 or 200) carries Tus-Version', {
      'on the creation URL': async (t) => {
        const x = await t.optionsRequest()
        expectStatus(x, 200, 204)
        expectPresent(x, 'Tus-Version')
      },
    }),
    rule('MAY', 'more', 'The answer may carry Tus-Extension and Tus-Max-Size', {
      'on the creation URL': async (t) => {
        const x = await t.optionsRequest()
        for (const name of ['Tus-Extension', 'Tus-Max-Size']) {
          t.note(`${name}: ${(x.response && field(x.response, name)) ?? '(absent)'}`)
        }
      },
    }),
    untested(
      'SHOULD',
      'detection',
      'Clients discover extensions by OPTIONS and Tus-Extension',
      'binds the client; that servers announce what they have is tested with each extension',
    ),
    untested('SHOULD', 'client-version', 'The client does not send Tus-Resumable with OPTIONS', 'binds the client'),
    rule('MUST', 'version-ignored', 'Tus-Resumable in an OPTIONS request is ignored', {
      'a version that is not spoken': async (t) => {
        const x = await t.optionsRequest({ 'Tus-Resumable': '99.0.0' })
        expectStatus(x, 200, 204)
        expectPresent(x, 'Tus-Version')
      },
      'no version': async (t) => {
        expectStatus(await t.optionsRequest(), 200, 204)
      },
    }),
  ],
}
