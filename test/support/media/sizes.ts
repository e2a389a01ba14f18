// Sound files of exactly so many bytes, most of them holes: at the limit of ten gibibytes they take a few kilobytes of disk.

import { open, readFile } from 'node:fs/promises'
import type { Corpus } from './corpus.ts'
import { freeHeader } from './mp4-edit.ts'

/** A video followed by a `free` box. @param source an MP4 */
export async function paddedMp4(corpus: Corpus, source: string, bytes: number): Promise<string> {
  const whole = await readFile(source)
  return await withHole(corpus, `padded-${bytes}.mp4`, {
    head: Buffer.concat([whole, freeHeader(bytes - whole.length)]),
    tail: Buffer.alloc(0),
    bytes,
  })
}

/** A page, and behind it a stream that nobody asks for. */
export async function paddedPdf(corpus: Corpus, bytes: number): Promise<string> {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] >>',
  ]
  let text = '%PDF-1.7\n'
  const offsets = objects.map((object, i) => {
    const offset = text.length
    text += `${i + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  offsets.push(text.length)
  // Numbers of a fixed width, so that lengths do not depend on them.
  const fixed = (value: number) => String(value).padStart(10, '0')
  const opening = (length: number) => `4 0 obj\n<< /Length ${fixed(length)} >>\nstream\n`
  const closing = '\nendstream\nendobj\n'
  const table = `xref\n0 5\n0000000000 65535 f \n${offsets.map((offset) => `${fixed(offset)} 00000 n \n`).join('')}`
  const ending = (at: number) => `trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n${fixed(at)}\n%%EOF\n`
  const around = [text, opening(0), closing, table, ending(0)].join('').length
  const tableAt = text.length + opening(0).length + (bytes - around) + closing.length
  return await withHole(corpus, `padded-${bytes}.pdf`, {
    head: Buffer.from(text + opening(bytes - around), 'latin1'),
    tail: Buffer.from(closing + table + ending(tableAt), 'latin1'),
    bytes,
  })
}

function withHole(
  corpus: Corpus,
  name: string,
  { head, tail, bytes }: { head: Buffer; tail: Buffer; bytes: number },
): Promise<string> {
  if (head.length + tail.length > bytes) throw new RangeError(`${bytes} bytes are too few for ${name}`)
  return corpus.file(name, async (path) => {
    const file = await open(path, 'w')
    try {
      await file.write(head, 0, head.length, 0)
      await file.truncate(bytes)
      if (tail.length > 0) await file.write(tail, 0, tail.length, bytes - tail.length)
    } finally {
      await file.close()
    }
  })
}
