// What the page is made of, read once when the service starts: a few small files, the page itself, and the browser build
// of tus-js-client. They are kept compressed, since phones on slow lines are the page's first users.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip' | 'identity'

export type Asset = {
  contentType: string
  /** Weak: the same for every encoding of the bytes. */
  etag: string
  bodies: Record<Encoding, Buffer>
}

export type PortalAssets = {
  /** Changes with every byte of any asset; stands in their addresses, so that browsers may keep them for ever. */
  version: string
  page: Asset
  /** By path below the version, e.g. `view/card.js`. */
  files: ReadonlyMap<string, Asset>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
}

const FOLDER = join(import.meta.dirname, 'assets')
const PAGE = 'index.html'
/** Stands in the page where the folder of the assets is to be named, relative to the page's own address. */
const PLACE_OF_ASSETS = '__ASSETS__'
const TUS = { from: 'tus-js-client/dist/tus.min.js', as: 'tus.js' }
const BROTLI_QUALITY = 9

/** Reads and compresses everything. Rejects where a file or tus-js-client is not installed. */
export async function loadPortalAssets(): Promise<PortalAssets> {
  const sources = await readSources()
  const version = digest(Buffer.concat([...sources].flatMap(([name, body]) => [Buffer.from(name), body])))
  const page = sources.get(PAGE)
  if (page === undefined) throw new Error(`${PAGE} is missing in ${FOLDER}`)
  sources.delete(PAGE)
  const html = page.toString('utf8').replaceAll(PLACE_OF_ASSETS, `portal/${version}`)
  const files = await Promise.all(
    [...sources].map(async ([name, body]): Promise<[string, Asset]> => [name, await assetOf(name, body)]),
  )
  return { version, page: await assetOf(PAGE, Buffer.from(html)), files: new Map(files) }
}

async function readSources(): Promise<Map<string, Buffer>> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) in TYPES)
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  const own = await Promise.all(
    paths.map(
      async (path): Promise<[string, Buffer]> => [
        relative(FOLDER, path).split(sep).join('/'),
        await readFile(path),
      ],
    ),
  )
  return new Map([...own, [TUS.as, await readTus()]])
}

/** The package has no `exports`, so that its files can be named. Its source map is not served. */
async function readTus(): Promise<Buffer> {
  const text = await readFile(createRequire(import.meta.url).resolve(TUS.from), 'utf8')
  return Buffer.from(text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'))
}

async function assetOf(name: string, body: Buffer): Promise<Asset> {
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    promisify(gzip)(body),
  ])
  const contentType = TYPES[extname(name)] ?? 'application/octet-stream'
  return { contentType, etag: `W/"${digest(body)}"`, bodies: { br, gzip: zipped, identity: body } }
}

function digest(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16)
}
