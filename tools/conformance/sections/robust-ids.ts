// Robustness: upload URLs that name nothing, or try to name something else.
import { answered, expectNoServerError, expectThat } from '../expect.ts'
import { type Check, Deviation, rule, type Section } from '../model.ts'
import { changedId, splitPath } from '../uploads.ts'
import { field } from '../wire/message.ts'

/** Request targets made from the path of a real upload and of its folder (which ends in a slash). */
const targets: Readonly<Record<string, (path: string, folder: string) => string>> = {
  'an id never given out': (path) => changedId({ url: new URL(path, 'http://localhost') }).pathname,
  'a slash and more': (path) => `${path}/more`,
  'NUL at the end': (path) => `${path}%00`,
  'NUL and a suffix': (path) => `${path}%00.mp4`,
  'one dot': (_, folder) => `${folder}.`,
  'two dots': (_, folder) => `${folder}..`,
  'dots encoded': (_, folder) => `${folder}%2e%2e`,
  'a way up the tree': (_, folder) => `${folder}../../../../etc/passwd`,
  'a way up the tree, encoded': (_, folder) => `${folder}..%2f..%2f..%2f..%2fetc%2fpasswd`,
  'a backslash': (_, folder) => `${folder}..%5c..%5cetc%5cpasswd`,
  'an encoded slash': (_, folder) => `${folder}a%2Fb`,
  'a broken percent sign': (_, folder) => `${folder}%zz`,
  'bytes that are no UTF-8': (_, folder) => `${folder}%ff%fe`,
  'an id of 4,000 letters': (_, folder) => `${folder}${'a'.repeat(4000)}`,
  'a side file .info': (path) => `${path}.info`,
  'a side file .json': (path) => `${path}.json`,
  'a side file .lock': (path) => `${path}.lock`,
  'a space': (path) => `${path}%20`,
}

export const robustIds: Section = {
  key: 'robust-ids',
  title: 'Robustness: upload URLs',
  rules: [
    rule(
      'ROBUST',
      'foreign',
      'A URL without an upload is refused without a server error, and other uploads are not affected',
      Object.fromEntries(Object.entries(targets).map(([name, make]) => [name, foreign(make)])),
    ),
    rule('ROBUST', 'creation-url', 'HEAD, PATCH and DELETE on the creation URL are refused', {
      'no server error, nothing stored': async (t) => {
        for (const method of ['HEAD', 'DELETE']) {
          const x = await t.send({ method })
          expectNoServerError(x)
          expectNoUpload(x)
        }
        const x = await t.patch({ url: t.options.url }, 0, t.payload.bytes(0, 100))
        expectNoServerError(x)
        expectThat(answered(x).status >= 300, 'a refusal', x.got, x)
      },
    }),
    rule('ROBUST', 'same', 'A URL with a query or a trailing slash is the same upload, or unknown', {
      'a slash': sameOrNothing((path) => `${path}/`),
      'a query': sameOrNothing((path) => `${path}?x=1`),
    }),
    rule(
      'ROBUST',
      'delete-unknown',
      'DELETE on an unknown upload is refused',
      {
        'with 404 or another 4xx': async (t) => {
          const x = await t.send({ method: 'DELETE', url: changedId(await t.create()) })
          const status = answered(x).status
          expectThat(status >= 400 && status < 500, 'a refusal (4xx)', x.got, x)
        },
      },
      { needs: ['termination'] },
    ),
  ],
}

function expectNoUpload(x: Parameters<typeof answered>[0]): void {
  const offset = field(answered(x), 'Upload-Offset')
  if (offset !== undefined) throw new Deviation('no Upload-Offset', x.got, x.request)
}

function foreign(make: (path: string, folder: string) => string): Check {
  return async (t) => {
    const upload = await t.create()
    const { folder, id } = splitPath(upload.url)
    const target = make(folder + id, folder)
    const { url } = upload
    const asked = await t.send({ method: 'HEAD', url, target })
    const read = await t.send({ method: 'GET', url, target })
    const patched = await t.send({ ...t.patchSpec(upload, 0, t.payload.bytes(0, 1100)), target })
    const changing = [patched]
    if (t.announces('termination')) changing.push(await t.send({ method: 'DELETE', url, target }))
    await t.expectOffsetStays(upload, 0, `requests to ${target.slice(0, 60)}`)
    expectThat(!/^root:.*:0:0:/m.test(answered(read).body.toString('latin1')), 'no file of the system', read.got, read)
    expectNoUpload(asked)
    for (const x of [asked, read, ...changing]) expectNoServerError(x)
    for (const x of changing) expectThat(answered(x).status >= 300, 'a refusal', x.got, x)
  }
}

function sameOrNothing(make: (path: string) => string): Check {
  return async (t) => {
    const upload = await t.create()
    await t.mustPatch(upload, 0, t.payload.bytes(0, 1100))
    const { folder, id } = splitPath(upload.url)
    const base = folder + id
    if (upload.url.search !== '') return t.note('upload URLs of this server have a query of their own')
    const x = await t.send({ method: 'HEAD', url: upload.url, target: make(base) })
    expectNoServerError(x)
    const offset = field(answered(x), 'Upload-Offset')
    t.note(offset === undefined ? `names nothing: ${x.got}` : 'names the upload')
    expectThat(offset === undefined || offset === '1100', 'offset 1100 or none', `offset ${offset}`, x)
  }
}
