// The search for holes costs nothing else that is known of a file: what goes wrong in it is logged, and no more.

import { describe, expect, it, vi } from 'vitest'
import type { Logger } from '../../../src/core/logger.ts'
import { findGaps } from '../../../workers/lanes/find-gaps.ts'
import type { ProbeResult } from '../../../workers/media/probe.ts'
import type { Runner } from '../../../workers/media/run.ts'
import { ToolError } from '../../../workers/media/tool-error.ts'

const VIDEO = { index: 0, codec: 'h264' } as ProbeResult['video']
const MEASURED = { kind: 'video', container: 'mp4', durationSeconds: 60, editedDurationSeconds: 60 } as const
const SOURCE = {
  bytes: 1,
  path: '/film.mp4',
  readAt: async () => Buffer.alloc(0),
  async *stream() {},
}

async function failing(error: Error, signal?: AbortSignal) {
  const warn = vi.fn()
  const runner: Runner = { isolation: 'none', run: () => Promise.reject(error) }
  const context = { runner, cwd: '/', signal, logger: { warn } as unknown as Logger }
  const nothing = { seenSeconds: null, heardSeconds: null }
  return { found: await findGaps(context, SOURCE, MEASURED, { video: VIDEO, audio: null }, nothing), warn }
}

describe('a search for holes', () => {
  it.each([
    ['a limit of ours', new ToolError('TOOL_CPU_LIMIT', 'input', 'too long'), true],
    ['a file without a packet', new ToolError('INPUT_UNREADABLE', 'input', 'nothing there'), false],
    ['a machine without room', new ToolError('OUT_OF_SPACE', 'system', 'full'), false],
  ])('that ends by %s finds no holes', async (_, error, limited) => {
    const { found, warn } = await failing(error)
    expect(found).toEqual({ gaps: [], dark: [], limited })
    expect(warn).toHaveBeenCalledOnce()
  })

  it('that is aborted ends its lane', async () => {
    const error = new ToolError('TOOL_ABORTED', 'system', 'called off')
    await expect(failing(error, AbortSignal.abort(new Error('shutdown')))).rejects.toThrow('shutdown')
  })
})
