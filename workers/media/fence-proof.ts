// Tests at start whether isolation holds on this machine: a kernel without Landlock, a container that refuses it, or a
// data folder that tools may read must be found before the first uploaded file is opened.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Isolation, Runner } from './run.ts'
import { type ScratchRoom, withScratch } from './scratch.ts'
import { ToolError } from './tool-error.ts'

const PROOF = fileURLToPath(new URL('fence-proof.pl', import.meta.url))

export type FenceReport = {
  isolation: Isolation
  /** Actions that isolation blocked, each as a short phrase; empty with `none`. */
  proven: string[]
}

/** Isolation does not hold; the message is for the operator. */
export class FenceError extends Error {
  override readonly name = 'FenceError'
}

/**
 * Tests the isolation of this runner.
 *
 * @param dataDir absolute; a file is created there for the test, which isolation must hide
 * @throws {FenceError}
 */
export async function proveFence(runner: Runner, room: ScratchRoom, dataDir: string): Promise<FenceReport> {
  if (runner.isolation === 'none') return { isolation: 'none', proven: [] }
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  return await withScratch(room, 'fence-proof', 0, async (scratch) => {
    const secret = join(dataDir, `fence-proof.${process.pid}`)
    const input = scratch.path('input')
    const output = scratch.path('output')
    await writeFile(secret, 'not for tools', { mode: 0o600 })
    await writeFile(input, 'for the tool', { mode: 0o600 })
    try {
      const { stdout } = await runner.run({
        tool: '/usr/bin/perl',
        args: [PROOF, secret, dataDir, String(process.pid), input, output],
        limits: {
          wallMs: 20_000,
          cpuSeconds: 10,
          memoryBytes: 1024 ** 3,
          outputBytes: 4096,
          fileBytes: 4096,
        },
        cwd: scratch.dir,
        reads: [PROOF, input],
        writes: [output],
      })
      return { isolation: runner.isolation, proven: heldOf(stdout.toString()) }
    } catch (error) {
      if (!(error instanceof ToolError)) throw error
      throw new FenceError(error.message, { cause: error })
    } finally {
      await rm(secret, { force: true })
    }
  })
}

function heldOf(answer: string): string[] {
  const lines = answer.trim().split('\n')
  const broken = lines.filter((line) => !line.endsWith(': held'))
  // An incomplete test proves nothing.
  if (broken.length > 0 || lines.length < 10) throw new FenceError(broken.join('; ') || 'no answer')
  return lines.map((line) => line.slice(0, line.indexOf(':')))
}
