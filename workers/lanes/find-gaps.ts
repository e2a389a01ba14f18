// Finds the holes of a recording: reads all packets, checks again where no picture was decoded, and checks whether bytes
// are lost where there are no packets.

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

/** Codecs whose packets are zeros where there is nothing to hear or see. */
const PLAIN = /^(pcm_|adpcm_|rawvideo$|v210$|v410$|r210$|ayuv$)/
/** Each costs a decode of a second or two. */
const MAX_LOOKS = 8
/** Audio priming and composition offsets are shorter. */
const EDIT_SECONDS = 0.5

/** Not searched: our limit, or a system error. */
const UNKNOWN = { gaps: [], dark: [] }

/**
 * Holes give only a warning, so a failure of the search does not discard other results for the file.
 *
 * @param streams the video and audio stream to show
 * @returns `limited`: it reached one of our limits
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
  // Without an index the clock may jump, and seeking is not possible.
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
  // An edit list hides samples: the decoded frames do not show whether those are intact.
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

/** The pass may count from the later start of picture and sound: earlier times are negative. */
function fromStart({ seenSeconds, heardSeconds }: Decoded): Decoded {
  const early = Math.min(0, ...(seenSeconds ?? []).slice(0, 1), ...(heardSeconds ?? []).slice(0, 1))
  const moved = (all: readonly number[] | null) => all?.map((at) => at - early) ?? null
  return { seenSeconds: moved(seenSeconds), heardSeconds: moved(heardSeconds) }
}

/**
 * Decoding only keyframes can skip good ones: of open groups of pictures, or with gradual refresh. A position counts as
 * undecodable only if no frame at all is decoded there; of many positions, a sample is checked.
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
