// A scan for malware by clamd, over its INSTREAM command: the bytes in chunks, each behind its length, an empty one at the
// end, then one line of answer (man clamd, "COMMANDS").

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { MediaSource } from '../media/source.ts'

/** Time-out for a response; clamd is slow with archives. */
const IDLE_MS = 120_000
const MAX_ANSWER_BYTES = 4096

/** `tooLarge`: beyond what this clamd is set up to scan (StreamMaxLength). */
export type Scan = { found: string | null } | { tooLarge: true }

/** Throws if clamd does not answer or could not scan: a system error that is retried. */
export async function scan(url: string, source: MediaSource, signal: AbortSignal): Promise<Scan> {
  const socket = open(url)
  const abort = () => socket.destroy(new Error('scan aborted'))
  signal.addEventListener('abort', abort, { once: true })
  socket.setTimeout(IDLE_MS, () => socket.destroy(new Error('clamd does not answer')))
  const answer = answerOf(socket)
  // Handled below; until then a socket error must not end the process.
  answer.catch(() => undefined)
  try {
    await once(socket, 'connect')
    await send(socket, source, signal)
    return verdictOf(await answer)
  } catch (error) {
    // Above its limit clamd answers early and closes, so its answer counts, not the write error.
    const early = await answer.catch(() => '')
    if (early !== '') return verdictOf(early)
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
    socket.destroy()
  }
}

function open(url: string): Socket {
  const { protocol, hostname, port, pathname } = new URL(url)
  return protocol === 'unix:' ? connect(decodeURIComponent(pathname)) : connect(Number(port), hostname)
}

async function send(socket: Socket, source: MediaSource, signal: AbortSignal): Promise<void> {
  const write = async (bytes: Buffer) => {
    if (!socket.writable) throw new Error('clamd has closed the connection')
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
  }
  const length = Buffer.alloc(4)
  await write(Buffer.from('zINSTREAM\0', 'latin1'))
  for await (const piece of source.stream(signal)) {
    length.writeUInt32BE(piece.length)
    await write(Buffer.concat([length, piece]))
  }
  length.writeUInt32BE(0)
  await write(length)
}

async function answerOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString('latin1')
    if (text.includes('\0') || text.length > MAX_ANSWER_BYTES) break
  }
  return (text.split('\0')[0] ?? '').trim()
}

/** `stream: OK`, `stream: Eicar-Test-Signature FOUND`, `INSTREAM size limit exceeded. ERROR`. */
function verdictOf(answer: string): Scan {
  if (answer.endsWith(' OK')) return { found: null }
  const found = /^[^:]*: (.+) FOUND$/.exec(answer)?.[1]
  if (found !== undefined) return { found }
  if (answer.includes('size limit exceeded')) return { tooLarge: true }
  throw new Error(`clamd: ${answer.slice(0, 200) || 'no answer'}`)
}
