// What the console's page is made of, read once when the process starts: a few small files, sent as they are. It is for
// an office's own network, so nothing is compressed.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

export type ConsoleAsset = { contentType: string; etag: string; body: Buffer }

export type ConsoleAssets = {
  page: ConsoleAsset
  /** By name, e.g. `main.js`. */
  files: ReadonlyMap<string, ConsoleAsset>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
}

const FOLDER = join(import.meta.dirname, 'assets')
const PAGE = 'index.html'

/** Rejects where a file is missing. */
export async function loadConsoleAssets(): Promise<ConsoleAssets> {
  const names = (await readdir(FOLDER)).filter((name) => extname(name) in TYPES)
  const read = async (name: string): Promise<[string, ConsoleAsset]> => {
    const body = await readFile(join(FOLDER, name))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
    return [name, { contentType: TYPES[extname(name)] ?? '', etag, body }]
  }
  const files = new Map(await Promise.all(names.map(read)))
  const page = files.get(PAGE)
  if (page === undefined) throw new Error(`${PAGE} is missing in ${FOLDER}`)
  files.delete(PAGE)
  return { page, files }
}
