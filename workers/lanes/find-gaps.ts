// Runs the pass over all packets for the holes of a recording, and looks once more where keyframes did not decode.

import type { Container } from '../../src/core/identify.ts'
import type { Gap, Measured } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { demux } from '../media/demux.ts'
import { type Decoded, timeline } from '../media/gaps.ts'
import type { ProbeResult, ToolContext } from '../media/probe.ts'
import type { LocalSource } from '../media/source.ts'
import { isShownAt } from '../media/spot-decode.ts'
import type { VideoStream } from '../media/video-stream.ts'

/** A stream without an index: its clock may leap, and it can't be sought in. */
export function isStream(container: Container): boolean {
  return container === 'mpegts' || container === 'mpegps'
}

/** Zeros are what they are of where nothing is to be heard or seen. */
const PLAIN = /^(pcm_|adpcm_|rawvideo$|v210$|v410$|r210$|ayuv$)/
/** Each costs a decode of a second or two. */
const MAX_LOOKS = 8
/** Priming of the sound and composition offsets are shorter. */
const EDIT_SECONDS = 0.5

/**
 * @param streams the picture and the sound that are shown
 * @throws {ToolError} where not a packet can be read, or the run itself fails
 */
export async function findGaps(
  context: ToolContext,
  source: LocalSource,
  measured: Measured,
  { video, audio }: Pick<ProbeResult, 'video' | 'audio'>,
  looked: Decoded,
): Promise<Gap[]> {
  if (isEdited(measured)) return []
  const container = measured.container as Container
  const leaps = isStream(container)
  const shown = [
    ...(video === null ? [] : [{ kind: 'video' as const, ...video }]),
    ...(audio === null ? [] : [{ kind: 'audio' as const, ...audio }]),
  ]
  const streams = shown.map(({ kind, codec }) => ({ kind, plain: PLAIN.test(codec) }))
  const seconds = judgedDurationSeconds(measured) ?? 0
  const decoded = fromStart(looked)
  const account = timeline({ seconds, fileBytes: source.bytes, leaps, streams })
  await demux(context, source, container, {
    streams: shown.map(({ index, kind }) => ({ index, kind })),
    ownClock: leaps,
    onPacket: account.add,
  })
  const unseen = leaps || video === null ? [] : account.unseenKeys(decoded)
  const lost = video === null ? [] : await undecodable(context, source, container, video, unseen)
  return account.gaps(decoded, lost)
}

/** An edit list leaves out samples that are there: what decoders show is no account of them. */
function isEdited({ durationSeconds, editedDurationSeconds: edited }: Measured): boolean {
  return edited !== undefined && durationSeconds !== undefined && Math.abs(durationSeconds - edited) > EDIT_SECONDS
}

/** The pass may count from where the later of picture and sound begins: what comes before it is below zero. */
function fromStart({ seenSeconds, heardSeconds }: Decoded): Decoded {
  const early = Math.min(0, ...(seenSeconds ?? []).slice(0, 1), ...(heardSeconds ?? []).slice(0, 1))
  const moved = (all: readonly number[] | null) => all?.map((at) => at - early) ?? null
  return { seenSeconds: moved(seenSeconds), heardSeconds: moved(heardSeconds) }
}

type Span = { from: number; until: number }

/** Some decoders leave out keyframes that are good: a place counts as a hole only when it was seen to be one. */
async function undecodable(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  video: VideoStream,
  spans: readonly Span[],
): Promise<readonly Span[]> {
  const every = Math.ceil(spans.length / MAX_LOOKS)
  const looks = spans.filter((_, i) => i % every === 0)
  for (const { from } of looks) if (await isShownAt(context, source, container, video.index, from)) return []
  return spans
}
