// Runs the pass over all packets for the holes of a recording, looks once more where no picture was decoded, and asks
// whether bytes are lost where no packets are.

import type { Container } from '../../src/core/identify.ts'
import type { Logger } from '../../src/core/logger.ts'
import type { Measured } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { demux } from '../media/demux.ts'
import { type Decoded, type Found, type Span, timeline } from '../media/gaps.ts'
import type { ProbeResult, ToolContext } from '../media/probe.ts'
import type { LocalSource } from '../media/source.ts'
import { isShownAt } from '../media/spot-decode.ts'
import { isLimit } from '../media/tool-error.ts'
import { hasLostPackets } from '../media/transport-stream.ts'
import type { VideoStream } from '../media/video-stream.ts'

/** Zeros are what they are of where nothing is to be heard or seen. */
const PLAIN = /^(pcm_|adpcm_|rawvideo$|v210$|v410$|r210$|ayuv$)/
/** Each costs a decode of a second or two. */
const MAX_LOOKS = 8
/** Priming of the sound and composition offsets are shorter. */
const EDIT_SECONDS = 0.5

/** Not looked for: our limit, or a fault of ours. */
const UNKNOWN = { gaps: [], dark: [] }

/**
 * What is found is worth a warning, so that a failure of the search costs nothing else that is known of the file.
 *
 * @param streams the picture and the sound that are shown
 * @returns `limited`: it came to a limit of ours
 */
export async function findGaps(
  { logger, ...context }: ToolContext & { logger: Logger },
  source: LocalSource,
  measured: Measured,
  streams: Pick<ProbeResult, 'video' | 'audio'>,
  decoded: Decoded,
): Promise<Found & { limited: boolean }> {
  try {
    return { ...(await search(context, source, measured, streams, decoded)), limited: false }
  } catch (err) {
    context.signal?.throwIfAborted()
    logger.warn({ err }, 'holes of a recording could not be looked for')
    return { ...UNKNOWN, limited: isLimit(err) }
  }
}

async function search(
  context: ToolContext,
  source: LocalSource,
  measured: Measured,
  { video, audio }: Pick<ProbeResult, 'video' | 'audio'>,
  looked: Decoded,
): Promise<Found> {
  const container = measured.container as Container
  // Without an index the clock may leap, and nothing can be sought.
  const leaps = container === 'mpegts' || container === 'mpegps'
  const shown = [
    ...(video === null ? [] : [{ kind: 'video' as const, ...video }]),
    ...(audio === null ? [] : [{ kind: 'audio' as const, ...audio }]),
  ]
  if (shown.length === 0) return UNKNOWN
  const account = timeline({
    seconds: judgedDurationSeconds(measured) ?? 0,
    leaps,
    streams: shown.map(({ kind, codec }) => ({ kind, plain: PLAIN.test(codec) })),
  })
  const { complaints } = await demux(context, source, container, {
    streams: shown.map(({ index, kind }) => ({ index, kind })),
    ownClock: leaps,
    onPacket: account.add,
  })
  // An edit list leaves out samples that are there: what decoders show is no account of them.
  const decoded = isEdited(measured) ? { seenSeconds: null, heardSeconds: null } : fromStart(looked)
  const unseen = leaps || video === null ? [] : account.unseen(decoded)
  const undecodable = video === null ? [] : await looksDark(context, source, container, video, unseen)
  const hasLost =
    account.hasVoids() && (container === 'mpegts' ? await hasLostPackets(source) : complaints.includes('lost'))
  return account.find(decoded, undecodable, hasLost)
}

function isEdited({ durationSeconds, editedDurationSeconds: edited }: Measured): boolean {
  return edited !== undefined && durationSeconds !== undefined && Math.abs(durationSeconds - edited) > EDIT_SECONDS
}

/** The pass may count from where the later of picture and sound begins: what comes before it is below zero. */
function fromStart({ seenSeconds, heardSeconds }: Decoded): Decoded {
  const early = Math.min(0, ...(seenSeconds ?? []).slice(0, 1), ...(heardSeconds ?? []).slice(0, 1))
  const moved = (all: readonly number[] | null) => all?.map((at) => at - early) ?? null
  return { seenSeconds: moved(seenSeconds), heardSeconds: moved(heardSeconds) }
}

/**
 * Decoders that are asked for keyframes alone leave out good ones: of open groups of pictures, or where the picture is
 * refreshed bit by bit. A place is dark only when nothing at all is shown there; of many, some stand for those beside them.
 */
async function looksDark(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  video: VideoStream,
  unseen: readonly Span[],
): Promise<readonly Span[]> {
  const every = Math.ceil(unseen.length / MAX_LOOKS)
  const dark: Span[] = []
  for (let i = 0; i < unseen.length; i += every) {
    const group = unseen.slice(i, i + every)
    const middle = group[Math.floor(group.length / 2)]
    if (middle !== undefined && !(await isShownAt(context, source, container, video.index, middle.from)))
      dark.push(...group)
  }
  return dark
}
