import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fileSource, rangeSource } from '../../../../workers/media/source.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function temporary(bytes: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'source-'))
  folders.push(folder)
  const path = join(folder, 'x')
  await writeFile(path, bytes)
  return path
}

describe('fileSource', () => {
  it('reads the requested range, and less only at the end', async () => {
    const source = await fileSource(await temporary(Buffer.from('0123456789')))
    expect(source.bytes).toBe(10)
    expect((await source.readAt(3, 4)).toString()).toBe('3456')
    expect((await source.readAt(8, 4)).toString()).toBe('89')
    expect(await source.readAt(20, 4)).toHaveLength(0)
  })

  it('never has a relative name, which a tool could read as an option', async () => {
    const path = await temporary(Buffer.alloc(1))
    expect((await fileSource(path)).path).toBe(path)
    await expect(fileSource('-i')).rejects.toThrow(TypeError)
  })

  it('streams all bytes in order and stops on abort', async () => {
    const bytes = Buffer.alloc(2_500_000, 'abcdefg')
    const source = await fileSource(await temporary(bytes))
    const pieces: Buffer[] = []
    for await (const piece of source.stream()) pieces.push(piece)
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
    const abort = new AbortController()
    const cut = async (): Promise<void> => {
      for await (const _ of source.stream(abort.signal)) abort.abort()
    }
    await expect(cut()).rejects.toThrow(/abort/i)
  })
})

describe('rangeSource', () => {
  const bytes = Buffer.from('0123456789')
  const readRange = vi.fn((position: number, length: number) =>
    Promise.resolve(bytes.subarray(position, position + length)),
  )

  it('never reads beyond the end of the object', async () => {
    const source = rangeSource({ bytes: 10, readRange })
    expect((await source.readAt(8, 100)).toString()).toBe('89')
    expect(readRange).toHaveBeenLastCalledWith(8, 2, undefined)
    readRange.mockClear()
    expect(await source.readAt(10, 5)).toHaveLength(0)
    expect(readRange).not.toHaveBeenCalled()
  })

  it('streams, and fails if the store returns nothing', async () => {
    const whole: Buffer[] = []
    for await (const piece of rangeSource({ bytes: 10, readRange }).stream()) whole.push(piece)
    expect(Buffer.concat(whole).equals(bytes)).toBe(true)
    const empty = rangeSource({ bytes: 10, readRange: () => Promise.resolve(Buffer.alloc(0)) })
    const read = async (): Promise<void> => {
      for await (const _ of empty.stream());
    }
    await expect(read()).rejects.toThrow('no bytes at 0 of 10')
  })
})
