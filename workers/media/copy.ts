// A source copied into the scratch folder, for tools that need to seek in a real file or read it several times.
// The hash is computed during the copy, so that the bytes are read from the store once.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { MediaSource } from './source.ts'
import { ToolError } from './tool-error.ts'

export type CopyResult = { path: string; bytes: number; sha256: string }

/**
 * Copies all bytes to a new file.
 *
 * @param path must not exist yet; its folder must
 * @param onBytes called with the running total
 * @returns length and SHA-256 (lower-case hex)
 * @throws {ToolError} `OUT_OF_SPACE`, or `SOURCE_UNREACHABLE` if the store returns fewer bytes than announced
 */
export async function copySource(
  source: MediaSource,
  path: string,
  options: { signal?: AbortSignal | undefined; onBytes?: (bytes: number) => void } = {},
): Promise<CopyResult> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  let bytes = 0
  try {
    for await (const piece of source.stream(options.signal)) {
      hash.update(piece)
      await file.writeFile(piece)
      bytes += piece.length
      options.onBytes?.(bytes)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    throw new ToolError('OUT_OF_SPACE', 'system', `no space to copy ${source.bytes} bytes`, '', {
      cause: error,
    })
  } finally {
    await file.close()
  }
  if (bytes !== source.bytes) {
    throw new ToolError('SOURCE_UNREACHABLE', 'system', `the store gave ${bytes} of ${source.bytes} bytes`)
  }
  return { path, bytes, sha256: hash.digest('hex') }
}

/** SHA-256 of all bytes, lower-case hex, without a copy. */
export async function hashSource(
  source: MediaSource,
  options: { signal?: AbortSignal | undefined; onBytes?: (bytes: number) => void } = {},
): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of source.stream(options.signal)) {
    hash.update(piece)
    bytes += piece.length
    options.onBytes?.(bytes)
  }
  if (bytes !== source.bytes) {
    throw new ToolError('SOURCE_UNREACHABLE', 'system', `the store gave ${bytes} of ${source.bytes} bytes`)
  }
  return hash.digest('hex')
}
