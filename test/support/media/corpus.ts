// A folder of test media that are made when first asked for and kept until the end of the test file.
// Everything is made by real tools or by hand from bytes; no binary lies in the repository.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export type Corpus = {
  /** Absolute. */
  dir: string
  /** The file of that name, made by `build` the first time. */
  file(name: string, build: (path: string) => Promise<void>): Promise<string>
  /** Removes everything; for afterAll. */
  remove(): Promise<void>
}

/** @param folder where files are to be made; default a new one */
export async function createCorpus(folder?: string): Promise<Corpus> {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'media-corpus-')))
  const made = new Map<string, Promise<string>>()
  return {
    dir,
    file(name, build) {
      const path = join(dir, name)
      const known = made.get(name) ?? build(path).then(() => path)
      made.set(name, known)
      return known
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

/** No film of the tests takes long to make, but the machine may have much else to do. */
const MAKING_MS = 600_000

/** Runs a maker; its stderr is in the error when it fails. */
export async function make(tool: string, args: readonly string[]): Promise<void> {
  await execute(tool, [...args], { maxBuffer: 1024 * 1024, timeout: MAKING_MS })
}

/** ffmpeg, quiet and overwriting. @param args the command line, in words or in groups of them */
export async function ffmpeg(...args: readonly (string | readonly string[])[]): Promise<void> {
  await make('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args.flat()])
}
