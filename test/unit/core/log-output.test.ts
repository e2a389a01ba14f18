// Log lines whose reader has gone or stopped reading must not keep a process from ending.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const LOGGER = join(import.meta.dirname, '../../../src/core/logger.ts')

/** A process that logs 20 lines of `bytes` and exits once its standard input is closed. */
function logging(bytes: number) {
  const script = `
    import { createLogger } from ${JSON.stringify(LOGGER)}
    const logger = createLogger({ name: 'test', level: 'info' })
    process.stdin.resume().once('end', () => {
      for (let line = 0; line < 20; line++) logger.info('x'.repeat(${bytes}))
      process.exit(3)
    })`
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

test('ends when the reader of its lines has ended', async () => {
  const child = logging(100)
  child.stdout.destroy()
  await once(child.stdout, 'close')
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([3, null])
})

test('ends when the reader of its lines has stopped reading', async () => {
  const child = logging(1024 * 1024)
  child.stdout.pause()
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([3, null])
  child.stdout.destroy()
})

test('all lines written right before the exit arrive', async () => {
  const child = logging(100)
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stdin.end()
  await once(child, 'close')
  const lines = text.trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(Array(20).fill('x'.repeat(100)))
})
