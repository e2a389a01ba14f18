// Whether the last picture of a transport stream is torn, although its last packet is whole: cameras write and networks send
// in blocks of packets, so that broken copies often end there. A picture has no length in the stream: only a decoder can tell.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ToolContext } from './probe.ts'
import { fileSource, type LocalSource, type MediaSource } from './source.ts'
import { decodeAll } from './spot-decode.ts'
import { packetsAtEnd, type TailPacket } from './transport-stream.ts'

/** Some seconds of any camera, and a keyframe with it. */
const TAIL_BYTES = 8 * 1024 * 1024

/**
 * Decodes the end with the last picture and without it. It is torn if the decoder complains more with it, and if the picture
 * before it makes no such difference.
 *
 * @param pid of the picture
 * @throws {ToolError} only for system errors
 */
export async function isLastPictureTorn(context: ToolContext, source: MediaSource, pid: number): Promise<boolean> {
  const packets = await packetsAtEnd(source, TAIL_BYTES)
  const starts = packets.flatMap((packet, i) => (packet.pid === pid && packet.startsUnit ? [i] : []))
  const [before, last] = starts.slice(-2)
  if (before === undefined || last === undefined) return false
  const complaints = async (name: string, until: number): Promise<number | null> => {
    const kept = packets.filter((packet, i) => packet.pid !== pid || i < until)
    const { frames, errors, limited } = await decodeAll(context, await written(context, name, kept), pid)
    return frames === 0 || limited ? null : errors
  }
  const whole = await complaints('whole', packets.length)
  const without = await complaints('without', last)
  if (whole === null || without === null || whole <= without) return false
  return (await complaints('without-two', before)) === without
}

async function written({ cwd }: ToolContext, name: string, packets: readonly TailPacket[]): Promise<LocalSource> {
  const path = join(cwd, `end-${name}.ts`)
  await writeFile(path, Buffer.concat(packets.map(({ bytes }) => bytes)))
  return await fileSource(path)
}
